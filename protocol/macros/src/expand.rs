//! The service of an impl block, or of all that implement a trait: code that makes it with the builder.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    Expr, ExprLit, Generics, Ident, Item, ItemImpl, ItemTrait, Lit, Path, ReturnType, Type, parse_quote,
};

use crate::client;
use crate::model::{self, CatchAll, Input, Kind, Method, Mistakes, Model, Parameter, Served, local};
use crate::options::Options;
use crate::python;

/// What `#[service]` stands for. `root` is where the authors' items are, unless the macro is told otherwise.
pub(crate) fn service(root: &str, arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let options = Options::parse(arguments).unwrap_or_else(|error| {
        mistakes.add(error);
        Options::default()
    });
    match syn::parse2(item.clone()) {
        Ok(Item::Impl(block)) => of_block(root, &options, block, mistakes),
        Ok(Item::Trait(of)) => of_trait(root, &options, of, mistakes),
        other => {
            let at = other.map_or_else(|error| error.span(), |item| item.span());
            let error =
                syn::Error::new(at, "#[service] stands on an impl block or on a trait").into_compile_error();
            quote!(#item #error)
        }
    }
}

fn of_block(root: &str, options: &Options, mut block: ItemImpl, mut mistakes: Mistakes) -> TokenStream {
    let model = model::read(&mut block, &mut mistakes);
    let subject = Subject {
        ty: (*block.self_ty).clone(),
        held: quote!(self),
        calls: quote!(Self),
        generics: block.generics.clone(),
        has_client: !options.no_client && block.generics.params.is_empty(),
    };
    let generated = generate(root, options, &subject, model, mistakes);
    // A method takes what the wire brings, as a method: whether it needs all of it is not its choice.
    quote! {
        #[allow(clippy::unused_self, clippy::needless_pass_by_value)]
        #block
        #generated
    }
}

fn of_trait(root: &str, options: &Options, mut of: ItemTrait, mut mistakes: Mistakes) -> TokenStream {
    let model = model::read_trait(&mut of, &mut mistakes);
    let ident = &of.ident;
    let service = format_ident!("{ident}Service");
    let implementation = Ident::new("Implementation", Span::mixed_site());
    let subject = Subject {
        ty: parse_quote!(#service<#implementation>),
        held: quote!(self.0),
        calls: quote!(<#implementation as #ident>),
        generics: parse_quote!(<#implementation: #ident + ::std::marker::Send + ::std::marker::Sync + 'static>),
        has_client: !options.no_client,
    };
    let generated = generate(root, options, &subject, Some(model), mistakes);
    let about = format!("The service of a value that implements [`{ident}`].");
    quote! {
        #[allow(clippy::manual_async_fn)]
        #of

        #[doc = #about]
        #[allow(dead_code, unreachable_pub)]
        #[derive(Clone, Debug)]
        pub struct #service<#implementation>(pub #implementation);

        #generated
    }
}

/// Whose methods are called.
struct Subject {
    /// What becomes a service.
    ty: Type,
    /// The value with the methods, of a `self` of that type.
    held: TokenStream,
    /// Where they are found.
    calls: TokenStream,
    generics: Generics,
    has_client: bool,
}

fn generate(
    root: &str,
    options: &Options,
    subject: &Subject,
    model: Option<Model>,
    mut mistakes: Mistakes,
) -> TokenStream {
    if let Some(model) = model.as_ref().filter(|_| subject.has_client) {
        client::check_names(model, &mut mistakes);
    }
    let model = match (model, mistakes.into_error()) {
        (Some(model), None) => model,
        (_, error) => return error.map(syn::Error::into_compile_error).unwrap_or_default(),
    };
    let root = match &options.root {
        Some(path) => path.clone(),
        None => absolute(root),
    };
    let service = into_service(&root, subject, &model, options);
    let client = subject.has_client.then(|| client::generate(&root, &subject.ty, &model));
    quote!(#service #client)
}

/// `a::b` as `::a::b`.
fn absolute(path: &str) -> Path {
    syn::parse_str(&format!("::{path}")).expect("the entries of this crate name paths")
}

fn into_service(root: &Path, subject: &Subject, model: &Model, options: &Options) -> TokenStream {
    let Subject { ty, held, calls, generics, .. } = subject;
    // Said here, so that an author is told at the type, and not once for each method.
    let mut bounded = generics.clone();
    let shared = quote_spanned!(ty.span()=> #ty: ::std::marker::Send + ::std::marker::Sync + 'static);
    bounded.make_where_clause().predicates.push(syn::parse_quote!(#shared));
    let (generics, _, bounds) = bounded.split_for_impl();
    let name = match &options.name {
        Some(name) => name.value(),
        None => model::plain(&model.ident),
    };
    let (this, service) = (local("this"), local("service"));
    let max_clients = options.max_clients.iter().map(|most| quote!(#service = #service.max_clients(#most);));
    let max_concurrent =
        options.max_concurrent.iter().map(|most| quote!(#service = #service.max_concurrent(#most);));
    let attributes = model.attributes.iter().map(|served| add(root, calls, served));
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #generics #root::generated::IntoService for #ty #bounds {
            fn into_service(self) -> #root::generated::Service {
                #[allow(unused_imports)]
                use #root::generated::PlainAnswer as _;
                let #this = ::std::sync::Arc::new(#held);
                let mut #service = #root::generated::Service::new(#name);
                #(#max_clients)*
                #(#max_concurrent)*
                #(#attributes)*
                #service
            }
        }
    }
}

/// Where an error about what a method returns belongs.
fn span_of(output: &ReturnType) -> Span {
    match output {
        ReturnType::Default => Span::call_site(),
        ReturnType::Type(_, ty) => ty.span(),
    }
}

/// Adds one attribute.
fn add(root: &Path, calls: &TokenStream, served: &Served) -> TokenStream {
    let Served { ident, name, hidden, cfgs, kind, .. } = served;
    let (this, service) = (local("this"), local("service"));
    let added = match kind {
        Kind::Constant(ty) => quote_spanned!(ty.span()=> #service.constant(#name, &#calls::#ident)),
        Kind::Property(output) => {
            let answer = quote_spanned!(span_of(output)=> #root::generated::Answer(#calls::#ident(&#this)).into_outcome());
            quote!(#service.add_property(#name, move || -> #root::generated::Outcome { #answer }))
        }
        Kind::Method(method) => add_method(root, calls, served, method),
    };
    let hide = hidden.then(|| quote!(#service = #service.hide(#name);));
    quote! {
        #(#cfgs)*
        {
            let #this = ::std::sync::Arc::clone(&#this);
            let _ = &#this;
            #service = #added;
            #hide
        }
    }
}

fn add_method(root: &Path, calls: &TokenStream, served: &Served, method: &Method) -> TokenStream {
    let Served { ident, name, .. } = served;
    let (this, service, outcome) = (local("this"), local("service"), local("outcome"));
    let (context, arguments) = (local("context"), local("arguments"));
    let signature = signature(method);
    let parameters = method.inputs.iter().filter_map(|input| match input {
        Input::Parameter(parameter) => Some(read(parameter)),
        Input::Context => None,
    });
    let given = method.inputs.iter().map(|input| match input {
        Input::Context => quote!(&#context),
        Input::Parameter(parameter) => {
            let Parameter { ident, is_str, .. } = &**parameter;
            if *is_str { quote!(&#ident) } else { quote!(#ident) }
        }
    });
    let wait = method.is_async.then(|| quote!(.await));
    let call = quote!(#calls::#ident(&#this, #(#given),*) #wait);
    let answer = quote_spanned!(span_of(&method.output)=> #root::generated::Answer(#call).into_outcome());
    if method.is_async {
        // At the method, so that an author is told there what must not be held across an await.
        quote_spanned! {ident.span().resolved_at(Span::mixed_site())=>
            #service.add_asynchronous(
                #name,
                #signature,
                move |#context: #root::generated::Context, #arguments: #root::generated::CallArguments| {
                    let #this = ::std::sync::Arc::clone(&#this);
                    async move {
                        let (_, _) = (&#context, &#arguments);
                        #(#parameters)*
                        let #outcome: #root::generated::Outcome = #answer;
                        #outcome
                    }
                },
            )
        }
    } else {
        quote! {
            #service.add_blocking(
                #name,
                #signature,
                move |#context: &#root::generated::Context,
                      #arguments: &#root::generated::CallArguments| -> #root::generated::Outcome {
                    let (_, _) = (#context, #arguments);
                    #(#parameters)*
                    #answer
                },
            )
        }
    }
}

/// Reads one argument into a variable of its name.
fn read(parameter: &Parameter) -> TokenStream {
    let Parameter { ident, name, ty: written, is_str, default, catch_all } = parameter;
    let (arguments, ty) = (local("arguments"), written);
    let ty = if *is_str { quote_spanned!(ty.span()=> ::std::string::String) } else { quote!(#ty) };
    let value = match (catch_all, default) {
        (Some(CatchAll::Args), _) => quote_spanned!(ty.span()=> #arguments.rest()?),
        (Some(CatchAll::Kwargs), _) => quote_spanned!(ty.span()=> #arguments.keywords()?),
        (None, Some(model::Fallback::Written(expr))) => {
            let default = owned(expr, written);
            quote_spanned!(ty.span()=> #arguments.read_or(#name, || -> #ty { #default })?)
        }
        (None, _) => quote_spanned!(ty.span()=> #arguments.read(#name)?),
    };
    quote!(let #ident: #ty = #value;)
}

/// A default as a value of the parameter's type: a text for a `String` needs no `.to_string()`.
fn owned(expr: &Expr, ty: &Type) -> TokenStream {
    let is_text = matches!(expr, Expr::Lit(ExprLit { lit: Lit::Str(_), .. }));
    let takes_text = python::within(ty, "str").is_some() || is_text && python::within(ty, "String").is_some();
    if takes_text { quote!(::std::string::String::from(#expr)) } else { quote!(#expr) }
}

/// As Python writes it.
fn signature(method: &Method) -> String {
    let parameters: Vec<String> = method
        .inputs
        .iter()
        .filter_map(|input| match input {
            Input::Parameter(parameter) => Some(shown(parameter)),
            Input::Context => None,
        })
        .collect();
    format!("({}) -> {}", parameters.join(", "), python::result(&method.output))
}

fn shown(parameter: &Parameter) -> String {
    let Parameter { name, ty, default, catch_all, .. } = parameter;
    let element = |container, position| {
        python::within(ty, container)
            .and_then(|mut types| types.nth(position))
            .map_or_else(|| "Any".to_string(), python::annotation)
    };
    match (catch_all, default) {
        (Some(CatchAll::Args), _) => format!("*{name}: {}", element("Vec", 0)),
        (Some(CatchAll::Kwargs), _) => format!("**{name}: {}", element("BTreeMap", 1)),
        (None, None) => format!("{name}: {}", python::annotation(ty)),
        (None, Some(model::Fallback::None)) => format!("{name}: {} = None", python::annotation(ty)),
        (None, Some(model::Fallback::Written(expr))) => {
            format!("{name}: {} = {}", python::annotation(ty), python::literal(expr))
        }
    }
}

#[cfg(test)]
mod tests;
