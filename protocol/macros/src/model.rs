//! What an impl block, or a trait, says, read once and checked: the attributes of the service.
//!
//! Reading takes the macro's own attributes off the items, so that the compiler does not see them. Every mistake is noted
//! where it stands, and reading goes on: an author sees all of them at once.

mod of_trait;
mod parameters;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, Expr, FnArg, Ident, ImplItem, ItemImpl, LitStr, Meta, ReceiverKind, ReturnType, Signature,
    Type,
};

pub(crate) use of_trait::read as read_trait;
pub(crate) use parameters::{CatchAll, Fallback, Input, Parameter};

/// The attribute that clients end a service by.
const SHUTDOWN_SERVICE: &str = "shutdown_service";

/// The service of an impl block or a trait.
pub(crate) struct Model {
    pub(crate) attributes: Vec<Served>,
    /// The name of the type or trait.
    pub(crate) ident: Ident,
}

/// One attribute of the service.
pub(crate) struct Served {
    pub(crate) ident: Ident,
    /// As clients know it.
    pub(crate) name: String,
    pub(crate) hidden: bool,
    /// When it is compiled.
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) deprecated: Option<Attribute>,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    Constant(Type),
    Property(ReturnType),
    Method(Method),
}

pub(crate) struct Method {
    pub(crate) is_async: bool,
    pub(crate) inputs: Vec<Input>,
    pub(crate) output: ReturnType,
}

/// Mistakes, each with its place.
#[derive(Default)]
pub(crate) struct Mistakes(Option<syn::Error>);

impl Mistakes {
    pub(crate) fn note(&mut self, at: &impl ToTokens, text: &str) {
        self.add(syn::Error::new_spanned(at, text));
    }

    pub(crate) fn add(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }

    pub(crate) fn into_error(self) -> Option<syn::Error> {
        self.0
    }
}

/// Reads an impl block and takes the macro's attributes off it.
pub(crate) fn read(block: &mut ItemImpl, mistakes: &mut Mistakes) -> Option<Model> {
    if let Some((of, _)) = &block.trait_ {
        let text = "#[service] stands on an impl block of the type itself or on the trait, not on an impl block of a trait";
        mistakes.note(of, text);
    }
    let Some(ident) = name_of(&block.self_ty) else {
        mistakes.note(&block.self_ty, "#[service] needs a type with a name, like a struct");
        return None;
    };
    let mut attributes = Vec::new();
    for item in &mut block.items {
        attributes.extend(match item {
            ImplItem::Fn(method) => read_method(&mut method.attrs, &mut method.sig, &ident, mistakes),
            ImplItem::Const(constant) => {
                read_constant(&mut constant.attrs, &constant.ident, &constant.ty, mistakes)
            }
            _ => None,
        });
    }
    check_names(&attributes, mistakes);
    Some(Model { attributes, ident })
}

/// Notes the attributes that clients would know by the same name.
fn check_names(attributes: &[Served], mistakes: &mut Mistakes) {
    for (index, served) in attributes.iter().enumerate() {
        let same = |other: &&Served| other.name == served.name && other.cfgs.is_empty();
        if served.cfgs.is_empty() && attributes[..index].iter().find(same).is_some() {
            let text = format!("the service has two attributes {}", served.name);
            mistakes.note(&served.ident, &text);
        }
    }
}

/// The last word of a type's path.
fn name_of(ty: &Type) -> Option<Ident> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.clone()),
        Type::Group(group) => name_of(&group.elem),
        Type::Paren(paren) => name_of(&paren.elem),
        _ => None,
    }
}

/// The macro's attributes on one item.
#[derive(Default)]
struct Marks {
    property: Option<Attribute>,
    name: Option<LitStr>,
    hidden: Option<Attribute>,
    skip: Option<Attribute>,
    shutdown: Option<Attribute>,
}

impl Marks {
    /// Takes them off.
    fn take(attributes: &mut Vec<Attribute>, mistakes: &mut Mistakes) -> Self {
        let mut marks = Self::default();
        attributes.retain(|attribute| match marks.read(attribute) {
            Ok(known) => !known,
            Err(error) => {
                mistakes.add(error);
                false
            }
        });
        marks
    }

    fn read(&mut self, attribute: &Attribute) -> syn::Result<bool> {
        let Some(ident) = attribute.path().get_ident() else { return Ok(false) };
        let mark = match ident.to_string().as_str() {
            "property" => &mut self.property,
            "hidden" => &mut self.hidden,
            "skip" => &mut self.skip,
            "shutdown" => &mut self.shutdown,
            "name" => {
                let Meta::NameValue(pair) = &attribute.meta else {
                    return Err(syn::Error::new_spanned(attribute, "write #[name = \"...\"]"));
                };
                self.name = Some(syn::parse2(pair.value.to_token_stream())?);
                return Ok(true);
            }
            _ => return Ok(false),
        };
        attribute.meta.require_path_only()?;
        *mark = Some(attribute.clone());
        Ok(true)
    }

    /// The name for clients; `None` if the item is to be left alone.
    fn name(&self, ident: &Ident, mistakes: &mut Mistakes) -> Option<String> {
        if self.skip.is_some() {
            return None;
        }
        let Some(name) = &self.name else {
            let name = plain(ident);
            return (!name.starts_with('_')).then_some(name);
        };
        let value = name.value();
        if value.is_empty() || value.starts_with('_') {
            mistakes
                .note(name, "clients cannot ask for this name: it is empty, or private by its underscore");
        }
        Some(value)
    }
}

fn read_constant(
    attributes: &mut Vec<Attribute>,
    ident: &Ident,
    ty: &Type,
    mistakes: &mut Mistakes,
) -> Option<Served> {
    let marks = Marks::take(attributes, mistakes);
    for mark in [&marks.property, &marks.shutdown].into_iter().flatten() {
        mistakes.note(mark, "a constant is shown as its value already");
    }
    let name = marks.name(ident, mistakes)?;
    Some(served(ident.clone(), name, &marks, attributes, Kind::Constant(ty.clone())))
}

fn read_method(
    attributes: &mut Vec<Attribute>,
    signature: &mut Signature,
    of: &Ident,
    mistakes: &mut Mistakes,
) -> Option<Served> {
    let marks = Marks::take(attributes, mistakes);
    let taken: Vec<_> = signature.inputs.iter_mut().map(parameters::take_marks).collect();
    let name = marks.name(&signature.ident, mistakes)?;
    let name = if marks.shutdown.is_some() { SHUTDOWN_SERVICE.to_string() } else { name };
    match signature.inputs.first() {
        Some(FnArg::Receiver(receiver)) => {
            if !matches!(receiver.kind, ReceiverKind::Reference(_, _, None)) {
                let text = "attributes take &self, since several may run at once: keep what changes in a Mutex, \
                            or put #[skip] on this";
                mistakes.note(receiver, text);
                return None;
            }
        }
        _ if makes(&signature.output, of) => return None,
        _ => {
            let text = "an attribute of a service takes &self; put #[skip] on a function that is none";
            mistakes.note(&signature.ident, text);
            return None;
        }
    }
    if !signature.generics.params.is_empty() {
        let only_lifetimes = signature.generics.params.len() == signature.generics.lifetimes().count();
        let text = if only_lifetimes {
            "arguments live as long as the call, so nothing that is returned can borrow from them: write no lifetimes, and \
             return a value of its own, like a String"
        } else {
            "clients send JSON, so an attribute has no generic parameters; put #[skip] on this, or name the types"
        };
        mistakes.note(&signature.generics, text);
        return None;
    }
    if let ReturnType::Type(_, ty) = &signature.output
        && let Type::ImplTrait(_) = &**ty
    {
        mistakes.note(
            ty,
            "clients read signatures, and the typed client decodes results; name the type that is returned",
        );
    }
    let inputs = parameters::read(signature, taken, mistakes);
    let kind = if let Some(property) = &marks.property {
        if !inputs.is_empty() || signature.asyncness.is_some() || marks.shutdown.is_some() {
            let text = "a property is a plain fn that takes &self alone, since it is also read at the start";
            mistakes.note(property, text);
        }
        Kind::Property(signature.output.clone())
    } else {
        Kind::Method(Method {
            is_async: signature.asyncness.is_some(),
            inputs,
            output: signature.output.clone(),
        })
    };
    Some(served(signature.ident.clone(), name, &marks, attributes, kind))
}

fn served(ident: Ident, name: String, marks: &Marks, attributes: &[Attribute], kind: Kind) -> Served {
    let with = |name: &str| -> Vec<Attribute> {
        attributes.iter().filter(|attribute| attribute.path().is_ident(name)).cloned().collect()
    };
    let (cfgs, docs, deprecated) = (with("cfg"), with("doc"), with("deprecated").pop());
    Served { ident, name, hidden: marks.hidden.is_some(), cfgs, docs, deprecated, kind }
}

/// Whether a function returns its type, perhaps within another.
fn makes(output: &ReturnType, of: &Ident) -> bool {
    matches!(output, ReturnType::Type(..))
        && mentions(output.to_token_stream(), &|ident| ident == "Self" || ident == of)
}

fn mentions(tokens: TokenStream, wanted: &impl Fn(&Ident) -> bool) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => wanted(&ident),
        TokenTree::Group(group) => mentions(group.stream(), wanted),
        _ => false,
    })
}

/// A variable of generated code, which no parameter of a method can be mistaken for, whatever its name.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The name without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map_or(name.clone(), str::to_string)
}

/// The expression within `#[default(...)]` and the like.
fn argument(attribute: &Attribute) -> syn::Result<Expr> {
    attribute.parse_args()
}
