//! The typed client beside a service: a link whose methods have the types of the service's.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit_mut::{VisitMut, visit_type_mut};
use syn::{Ident, Path, ReturnType, Type, parse_quote};

use crate::model::{CatchAll, Fallback, Input, Kind, Model, Parameter, Served, local, plain};
use crate::python;

pub(crate) fn generate(root: &Path, of: &Type, model: &Model) -> TokenStream {
    let client = format_ident!("{}Client", model.ident, span = of.span());
    let methods = model.attributes.iter().map(|served| method(root, served));
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
        #[allow(dead_code, unreachable_pub, private_interfaces, clippy::too_many_arguments)]
        impl #client {
            #(#methods)*
        }
    }
}

fn method(root: &Path, served: &Served) -> TokenStream {
    let Served { ident, name, cfgs, docs, kind, .. } = served;
    let (ident, inputs, result) = match kind {
        Kind::Constant(ty) => (snake(ident), &[][..], owned(ty)),
        Kind::Property(output) => (ident.clone(), &[][..], value_of(output)),
        Kind::Method(method) => (ident.clone(), &method.inputs[..], value_of(&method.output)),
    };
    let arguments = local("arguments");
    let parameters = || {
        inputs.iter().filter_map(|input| match input {
            Input::Parameter(parameter) => Some(&**parameter),
            Input::Context => None,
        })
    };
    let declared = parameters().map(declare);
    let mut by_name_only = false;
    let added = parameters().map(|parameter| {
        let added = add(parameter, by_name_only);
        by_name_only |= parameter.catch_all == Some(CatchAll::Args);
        added
    });
    let about = format!("Asks the service for `{name}`.");
    let about = if docs.is_empty() { quote!(#[doc = #about]) } else { quote!(#(#docs)*) };
    let call = quote_spanned!(result.span()=> #root::generated::Call<#result>);
    quote! {
        #(#cfgs)*
        #about
        pub fn #ident(&self, #(#declared),*) -> #call {
            #[allow(unused_imports)]
            use #root::generated::With as _;
            #[allow(unused_mut)]
            let mut #arguments = #root::generated::Arguments::new();
            #(#added)*
            self.0.call(#name, #arguments)
        }
    }
}

/// A parameter as the client's method has it.
fn declare(parameter: &Parameter) -> TokenStream {
    let Parameter { ident, ty, is_str, default, .. } = parameter;
    match default {
        None if *is_str => quote!(#ident: &str),
        None => quote!(#ident: #ty),
        Some(_) => {
            let given = given(parameter);
            quote!(#ident: impl ::std::convert::Into<::std::option::Option<#given>>)
        }
    }
}

/// The type of what can be left out, when it is given.
fn given(parameter: &Parameter) -> TokenStream {
    let Parameter { ty, is_str, default, .. } = parameter;
    match default {
        _ if *is_str => quote!(::std::string::String),
        Some(Fallback::None) => python::optional(ty).map_or_else(|| quote!(#ty), |inner| quote!(#inner)),
        _ => quote!(#ty),
    }
}

/// Puts an argument into `arguments`; behind `#[args]` they are given by name.
fn add(parameter: &Parameter, by_name_only: bool) -> TokenStream {
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
            let given = given(parameter);
            quote! {
                let #value: ::std::option::Option<#given> = ::std::convert::Into::into(#ident);
                if let ::std::option::Option::Some(#value) = #value {
                    #arguments = #arguments.with(#name, &#value);
                }
            }
        }
    }
}

/// The method for a constant: `EULER` is asked for by `euler`.
fn snake(ident: &Ident) -> Ident {
    let name = plain(ident).to_lowercase();
    syn::parse_str(&name).map_or_else(
        |_| Ident::new_raw(&name, ident.span()),
        |parsed: Ident| Ident::new(&parsed.to_string(), ident.span()),
    )
}

/// What the client gets of what a method returns.
fn value_of(output: &ReturnType) -> Type {
    match output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, ty) => owned(python::success(ty)),
    }
}

/// A type without references, since nobody lends a client anything: `&str` is a `String` there, a slice a `Vec`.
fn owned(ty: &Type) -> Type {
    let mut ty = ty.clone();
    Owned.visit_type_mut(&mut ty);
    ty
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
