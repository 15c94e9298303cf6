//! What a trait says: as an impl block, without what only the type behind it would know.

use quote::ToTokens;
use syn::{FnArg, Ident, ItemTrait, Signature, TraitItem, TraitItemFn, Type, TypeParamBound, parse_quote};

use super::{Kind, Mistakes, Model, Served, check_names, mentions, read_constant, read_method};

/// Reads a trait and takes the macro's attributes off it. Its asynchronous methods become ones whose futures can be sent
/// between threads, as a service needs them; an implementation writes `async fn` all the same.
pub(crate) fn read(of: &mut ItemTrait, mistakes: &mut Mistakes) -> Model {
    if !of.generics.params.is_empty() {
        mistakes
            .note(&of.generics, "a client knows one list of methods, so the trait has no generic parameters");
    }
    let ident = of.ident.clone();
    let mut attributes = Vec::new();
    for item in &mut of.items {
        attributes.extend(match item {
            TraitItem::Fn(method) => read_one(method, &ident, mistakes),
            TraitItem::Const(constant) => {
                read_constant(&mut constant.attrs, &constant.ident, &constant.ty, mistakes)
                    .inspect(|_| check_type(&constant.ty, mistakes))
            }
            TraitItem::Type(associated) => {
                let text = "a client does not know which type this is; name the types in the methods";
                mistakes.note(&associated.ident, text);
                None
            }
            _ => None,
        });
    }
    check_names(&attributes, mistakes);
    Model { attributes, ident }
}

fn read_one(method: &mut TraitItemFn, of: &Ident, mistakes: &mut Mistakes) -> Option<Served> {
    let served = read_method(&mut method.attrs, &mut method.sig, of, mistakes)?;
    for input in &method.sig.inputs {
        if let FnArg::Typed(typed) = input {
            check_type(&typed.ty, mistakes);
        }
    }
    check_type(&method.sig.output, mistakes);
    if matches!(&served.kind, Kind::Method(method) if method.is_async) {
        returns_future(&mut method.sig);
        if let Some(body) = &method.default {
            method.default = Some(parse_quote!({ async move #body }));
        }
    }
    Some(served)
}

fn check_type(ty: &impl ToTokens, mistakes: &mut Mistakes) {
    if mentions(ty.to_token_stream(), &|ident| ident == "Self") {
        mistakes.note(ty, "a client does not know which type Self is; name the type, or put #[skip] on this");
    }
}

/// `async fn a() -> T` as `fn a() -> impl Future<Output = T> + Send`.
fn returns_future(signature: &mut Signature) {
    let output: Type = match &signature.output {
        syn::ReturnType::Default => parse_quote!(()),
        syn::ReturnType::Type(_, ty) => (**ty).clone(),
    };
    let future: TypeParamBound = parse_quote!(::std::future::Future<Output = #output>);
    signature.asyncness = None;
    signature.output = parse_quote!(-> impl #future + ::std::marker::Send);
}
