//! The typed client beside a service: a link whose methods have the types of the service's.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit_mut::{VisitMut, visit_path_mut, visit_type_mut};
use syn::{Ident, Path, ReturnType, Type, parse_quote};

use crate::model::{CatchAll, Input, Kind, Mistakes, Model, Parameter, Served, local, plain};
use crate::python;

/// Notes the attributes of which the client would have the same method: `VOLTS` and `volts`.
pub(crate) fn check_names(model: &Model, mistakes: &mut Mistakes) {
    for (index, served) in model.attributes.iter().enumerate() {
        let is_same = |other: &&Served| other.cfgs.is_empty() && method_name(other) == method_name(served);
        if let Some(other) = model.attributes[..index].iter().find(is_same)
            && served.cfgs.is_empty()
        {
            let (first, name) = (plain(&other.ident), plain(&method_name(served)));
            let text = format!(
                "the typed client has a method {name} for {first} already; rename one of them, or say client = false"
            );
            mistakes.note(&served.ident, &text);
        }
    }
}

pub(crate) fn generate(root: &Path, of: &Type, model: &Model) -> TokenStream {
    let client = format_ident!("{}Client", model.ident);
    let methods = model.attributes.iter().map(|served| method(root, of, served));
    let about =
        format!("A link with a service [`{}`], with a method for each of its attributes.", model.ident);
    quote! {
        #[doc = #about]
        #[allow(dead_code, unreachable_pub)]
        #[derive(Clone, Debug)]
        pub struct #client(#root::generated::Link);

        #[automatically_derived]
        impl ::std::convert::From<#root::generated::Link> for #client {
            fn from(link: #root::generated::Link) -> Self {
                Self(link)
            }
        }

        #[automatically_derived]
        impl ::std::convert::From<#root::LinkedClient> for #client {
            fn from(linked: #root::LinkedClient) -> Self {
                Self(linked.link().clone())
            }
        }

        #[automatically_derived]
        impl ::std::ops::Deref for #client {
            type Target = #root::generated::Link;

            fn deref(&self) -> &#root::generated::Link {
                &self.0
            }
        }

        #[automatically_derived]
        #[allow(dead_code, deprecated, unreachable_pub, private_interfaces, clippy::too_many_arguments)]
        impl #client {
            #(#methods)*
        }
    }
}

fn method(root: &Path, of: &Type, served: &Served) -> TokenStream {
    let Served { name, cfgs, docs, deprecated, kind, .. } = served;
    let ident = method_name(served);
    let (inputs, result) = match kind {
        Kind::Constant(ty) => (&[][..], owned(ty, of)),
        Kind::Property(output) => (&[][..], value_of(output, of)),
        Kind::Method(method) => (&method.inputs[..], value_of(&method.output, of)),
    };
    let arguments = local("arguments");
    let parameters = || {
        inputs.iter().filter_map(|input| match input {
            Input::Parameter(parameter) => Some(&**parameter),
            Input::Context => None,
        })
    };
    let declared = parameters().map(|parameter| declare(parameter, of));
    let mut by_name_only = false;
    let added = parameters().map(|parameter| {
        let added = add(parameter, of, by_name_only);
        by_name_only |= parameter.catch_all == Some(CatchAll::Args);
        added
    });
    let about = format!("Asks the service for `{name}`.");
    let about = if docs.is_empty() { quote!(#[doc = #about]) } else { quote!(#(#docs)*) };
    // At the type, so that an author is told there if nobody can receive it.
    let call = quote_spanned!(result.span()=> #root::generated::Call<#result>);
    let received = respanned(quote!(#root::generated::Received::ask), result.span());
    let ask = quote_spanned!(result.span()=> #received(&self.0, #name, #arguments));
    quote! {
        #(#cfgs)*
        #deprecated
        #about
        pub fn #ident(&self, #(#declared),*) -> #call {
            #[allow(unused_imports)]
            use #root::generated::With as _;
            #[allow(unused_mut)]
            let mut #arguments = #root::generated::Arguments::new();
            #(#added)*
            #ask
        }
    }
}

/// Tokens that stand elsewhere for the compiler. (A path as it was parsed would keep its place.)
fn respanned(tokens: TokenStream, span: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            token.set_span(token.span().located_at(span));
            token
        })
        .collect()
}

/// A parameter as the client's method has it.
fn declare(parameter: &Parameter, of: &Type) -> TokenStream {
    let Parameter { ident, ty, is_str, default, .. } = parameter;
    match default {
        None if *is_str => quote!(#ident: &str),
        None => {
            let ty = without_self(ty, of);
            quote!(#ident: #ty)
        }
        Some(_) => {
            let given = given(parameter, of);
            quote!(#ident: impl ::std::convert::Into<::std::option::Option<#given>>)
        }
    }
}

/// The type of what can be left out, when it is given. Of an `Option` it is the type within, whatever the default: an
/// `Option` of an `Option` would let nobody write `None`.
fn given(parameter: &Parameter, of: &Type) -> Type {
    if parameter.is_str {
        return parse_quote!(::std::string::String);
    }
    without_self(python::optional(&parameter.ty).unwrap_or(&parameter.ty), of)
}

/// Puts an argument into `arguments`; behind `#[args]` they are given by name.
fn add(parameter: &Parameter, of: &Type, by_name_only: bool) -> TokenStream {
    let Parameter { ident, name, default, catch_all, .. } = parameter;
    let (arguments, key, value) = (local("arguments"), local("key"), local("value"));
    match (catch_all, default) {
        (Some(CatchAll::Args), _) => quote!(for #value in &#ident { #arguments = #arguments.and(#value); }),
        (Some(CatchAll::Kwargs), _) => {
            quote!(for (#key, #value) in &#ident { #arguments = #arguments.with(#key, #value); })
        }
        (None, None) if by_name_only => quote!(#arguments = #arguments.with(#name, &#ident);),
        (None, None) => quote!(#arguments = #arguments.and(&#ident);),
        (None, Some(_)) => {
            let given = given(parameter, of);
            quote! {
                let #value: ::std::option::Option<#given> = ::std::convert::Into::into(#ident);
                if let ::std::option::Option::Some(#value) = #value {
                    #arguments = #arguments.with(#name, &#value);
                }
            }
        }
    }
}

/// What the client's method for an attribute is called: for the constant `EULER` it is `euler`.
fn method_name(served: &Served) -> Ident {
    if !matches!(served.kind, Kind::Constant(_)) {
        return served.ident.clone();
    }
    let (name, span) = (plain(&served.ident).to_lowercase(), served.ident.span());
    match name.as_str() {
        // The words that cannot be raw identifiers.
        "self" | "super" | "crate" => format_ident!("{name}_", span = span),
        name if syn::parse_str::<Ident>(name).is_err() => Ident::new_raw(name, span),
        name => Ident::new(name, span),
    }
}

/// What the client gets of what a method returns.
fn value_of(output: &ReturnType, of: &Type) -> Type {
    match output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, ty) => owned(python::success(ty), of),
    }
}

/// A type without references, since nobody lends a client anything: `&str` is a `String` there, a slice a `Vec`.
fn owned(ty: &Type, of: &Type) -> Type {
    let mut ty = without_self(ty, of);
    Owned.visit_type_mut(&mut ty);
    ty
}

/// A type as it is called outside of the impl block: `Self` is the client there.
fn without_self(ty: &Type, of: &Type) -> Type {
    let mut ty = ty.clone();
    WithoutSelf(of).visit_type_mut(&mut ty);
    ty
}

struct WithoutSelf<'a>(&'a Type);

impl VisitMut for WithoutSelf<'_> {
    fn visit_path_mut(&mut self, path: &mut Path) {
        if let Type::Path(of) = self.0
            && path.segments.first().is_some_and(|first| first.ident == "Self")
        {
            let rest = path.segments.iter().skip(1).cloned();
            *path = Path {
                leading_colon: of.path.leading_colon,
                segments: of.path.segments.iter().cloned().chain(rest).collect(),
            };
        }
        visit_path_mut(self, path);
    }
}

struct Owned;

impl VisitMut for Owned {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        while let Type::Reference(reference) = ty {
            *ty = (*reference.elem).clone();
        }
        match ty {
            Type::Path(path) if path.path.is_ident("str") => *ty = parse_quote!(::std::string::String),
            Type::Slice(slice) => {
                let element = &slice.elem;
                *ty = parse_quote!(::std::vec::Vec<#element>);
            }
            _ => {}
        }
        visit_type_mut(self, ty);
    }
}
