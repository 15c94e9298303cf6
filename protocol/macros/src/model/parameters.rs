//! The parameters of a method: which argument of a request becomes which.

use syn::{Attribute, Expr, FnArg, Ident, Pat, PatType, Signature, Type};

use super::{Mistakes, argument, plain};
use crate::python;

/// What stands between the parentheses, in order.
pub(crate) enum Input {
    /// `&Context`.
    Context,
    /// Something of the request.
    Parameter(Box<Parameter>),
}

pub(crate) struct Parameter {
    pub(crate) ident: Ident,
    /// As clients know it.
    pub(crate) name: String,
    /// The type; of a `&str`, `str`.
    pub(crate) ty: Type,
    /// Whether it is a `&str`, which is read as a `String`.
    pub(crate) is_str: bool,
    pub(crate) default: Option<Fallback>,
    pub(crate) catch_all: Option<CatchAll>,
}

/// What a parameter is when it is not given.
pub(crate) enum Fallback {
    /// `#[default(...)]`.
    Written(Box<Expr>),
    /// `None`, of an `Option`.
    None,
}

/// Where the arguments go that no other parameter takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum CatchAll {
    Args,
    Kwargs,
}

/// The macro's attributes on one parameter.
#[derive(Default)]
pub(super) struct Marks {
    default: Option<Expr>,
    catch_all: Option<CatchAll>,
    errors: Vec<syn::Error>,
}

/// Takes them off.
pub(super) fn take_marks(input: &mut FnArg) -> Marks {
    let mut marks = Marks::default();
    if let FnArg::Typed(typed) = input {
        typed.attrs.retain(|attribute| !marks.read(attribute));
    }
    marks
}

impl Marks {
    fn read(&mut self, attribute: &Attribute) -> bool {
        let outcome = if attribute.path().is_ident("default") {
            argument(attribute).map(|expr| self.default = Some(expr))
        } else if attribute.path().is_ident("args") {
            attribute.meta.require_path_only().map(|_| self.catch_all = Some(CatchAll::Args))
        } else if attribute.path().is_ident("kwargs") {
            attribute.meta.require_path_only().map(|_| self.catch_all = Some(CatchAll::Kwargs))
        } else if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
            let text =
                "clients are shown one signature, so a parameter is always there; put #[cfg] on the method";
            Err(syn::Error::new_spanned(attribute, text))
        } else {
            return false;
        };
        self.errors.extend(outcome.err());
        true
    }
}

pub(super) fn read(signature: &Signature, marks: Vec<Marks>, mistakes: &mut Mistakes) -> Vec<Input> {
    let mut inputs: Vec<Input> = Vec::new();
    for (input, marks) in signature.inputs.iter().zip(marks) {
        let FnArg::Typed(typed) = input else { continue };
        match read_one(typed, marks) {
            Ok(Input::Parameter(parameter)) => {
                if let Err(error) = fits(&parameter, &inputs) {
                    mistakes.add(error);
                }
                inputs.push(Input::Parameter(parameter));
            }
            Ok(Input::Context) => inputs.push(Input::Context),
            Err(error) => mistakes.add(error),
        }
    }
    inputs
}

fn read_one(typed: &PatType, marks: Marks) -> syn::Result<Input> {
    let Marks { default, catch_all, errors } = marks;
    if let Some(error) = errors.into_iter().next() {
        return Err(error);
    }
    let (ty, is_str) = match reference(&typed.ty) {
        Some((_, referred)) if python::within(referred, "Context").is_some() => {
            if default.is_none() && catch_all.is_none() {
                return Ok(Input::Context);
            }
            let text = "the context comes from the request, not from the client";
            return Err(syn::Error::new_spanned(typed, text));
        }
        Some((false, referred)) if python::within(referred, "str").is_some() => (referred.clone(), true),
        Some(_) => {
            let text = "an argument is made from the request, so it is taken by value, like Vec<f64> for &[f64]; \
                        only &str and &Context may be references";
            return Err(syn::Error::new_spanned(&typed.ty, text));
        }
        None => (without_groups(&typed.ty).clone(), false),
    };
    if let Type::ImplTrait(_) = &ty {
        let text = "clients send JSON, so an attribute has no generic parameters; name the type";
        return Err(syn::Error::new_spanned(ty, text));
    }
    let Pat::Ident(pattern) = &*typed.pat else {
        let text =
            "clients give arguments by name, so a parameter is a name; take it apart within the method";
        return Err(syn::Error::new_spanned(&typed.pat, text));
    };
    if pattern.by_ref.is_some() || pattern.subpat.is_some() {
        let text = "clients give arguments by name, so a parameter is a name alone";
        return Err(syn::Error::new_spanned(pattern, text));
    }
    check_catch_all(catch_all, &ty, default.is_some())?;
    let default = match default {
        Some(expr) => Some(Fallback::Written(Box::new(expr))),
        None => python::optional(&ty).map(|_| Fallback::None),
    };
    let ident = pattern.ident.clone();
    let parameter = Parameter { name: plain(&ident), ident, ty, is_str, default, catch_all };
    Ok(Input::Parameter(Box::new(parameter)))
}

fn check_catch_all(catch_all: Option<CatchAll>, ty: &Type, has_default: bool) -> syn::Result<()> {
    let (fits, text) = match catch_all {
        None => return Ok(()),
        Some(CatchAll::Args) => (python::within(ty, "Vec").is_some(), "#[args] stands on a Vec<T>"),
        Some(CatchAll::Kwargs) => {
            let map = python::within(ty, "BTreeMap").map(Iterator::collect::<Vec<_>>);
            let by_name = map.as_ref().and_then(|types| types.first()).map(|key| python::annotation(key));
            (by_name.as_deref() == Some("str"), "#[kwargs] stands on a BTreeMap<String, T>")
        }
    };
    if !fits {
        return Err(syn::Error::new_spanned(ty, text));
    }
    if has_default {
        return Err(syn::Error::new_spanned(ty, "what is left may be nothing; a default has no place here"));
    }
    Ok(())
}

/// Whether a parameter may stand behind others, as Python sees it.
fn fits(parameter: &Parameter, earlier: &[Input]) -> syn::Result<()> {
    let earlier = || {
        earlier.iter().filter_map(|input| match input {
            Input::Parameter(parameter) => Some(&**parameter),
            Input::Context => None,
        })
    };
    let has = |catch_all| earlier().any(|other| other.catch_all == Some(catch_all));
    let error = |text: &str| Err(syn::Error::new_spanned(&parameter.ident, text));
    if has(CatchAll::Kwargs) {
        return error("nothing follows #[kwargs], which takes all keyword arguments that are left");
    }
    if parameter.catch_all == Some(CatchAll::Args) && has(CatchAll::Args) {
        return error("a method has one #[args]");
    }
    let follows_default = earlier().any(|other| other.default.is_some()) && !has(CatchAll::Args);
    if !follows_default {
        return Ok(());
    }
    match (parameter.catch_all, &parameter.default) {
        (Some(CatchAll::Args), _) => error(
            "a parameter with a default stands behind #[args], where clients give it by name, not before",
        ),
        (None, None) => {
            error("a parameter without a default cannot follow one with a default (an Option has one: None)")
        }
        _ => Ok(()),
    }
}

/// What a reference refers to, and whether it is mutable.
fn reference(ty: &Type) -> Option<(bool, &Type)> {
    match without_groups(ty) {
        Type::Reference(reference) => Some((reference.mutability.is_some(), without_groups(&reference.elem))),
        _ => None,
    }
}

fn without_groups(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => without_groups(&group.elem),
        Type::Paren(paren) => without_groups(&paren.elem),
        other => other,
    }
}
