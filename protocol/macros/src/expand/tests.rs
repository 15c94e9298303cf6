//! The mistakes that authors make, and what they are told. Where an error is shown is the matter of `tests/ui`.

use proc_macro2::{TokenStream, TokenTree};

/// What the macro makes of an item.
fn expanded(arguments: &str, item: &str) -> TokenStream {
    super::service("msl_network_tokio", arguments.parse().unwrap(), &item.parse().unwrap())
}

/// The texts of all `compile_error!`s.
fn errors(tokens: TokenStream) -> Vec<String> {
    let mut errors = Vec::new();
    let mut last_word = String::new();
    for token in tokens {
        match token {
            TokenTree::Ident(word) => last_word = word.to_string(),
            TokenTree::Group(group) if last_word == "compile_error" => {
                errors.push(syn::parse2::<syn::LitStr>(group.stream()).unwrap().value());
            }
            _ => {}
        }
    }
    errors
}

/// The errors for a service with these items.
fn mistakes(items: &str) -> Vec<String> {
    errors(expanded("", &format!("impl Meter {{ {items} }}")))
}

#[test]
fn each_mistake_is_explained() {
    for (items, why) in [
        ("fn add(x: f64) -> f64 { x }", "takes &self; put #[skip]"),
        ("fn reset() {}", "takes &self; put #[skip]"),
        ("fn set(&mut self, x: f64) {}", "keep what changes in a Mutex"),
        ("fn take(self) {}", "keep what changes in a Mutex"),
        ("fn shared(self: Arc<Self>) {}", "keep what changes in a Mutex"),
        ("fn any<T>(&self, x: T) {}", "has no generic parameters"),
        ("fn lent<'a>(&self, x: &'a str) -> &'a str { x }", "write no lifetimes, and return"),
        ("fn both<'a, T>(&self, x: &'a T) {}", "has no generic parameters"),
        ("fn sometimes(&self, #[cfg(unix)] x: u8) {}", "put #[cfg] on the method"),
        ("fn some(&self, x: impl Into<f64>) {}", "has no generic parameters; name the type"),
        ("fn pair(&self, (x, y): (f64, f64)) {}", "a parameter is a name"),
        ("fn ignored(&self, _: f64) {}", "a parameter is a name"),
        ("fn whole(&self, x @ 1..: u8) {}", "a parameter is a name alone"),
        ("fn slice(&self, x: &[f64]) {}", "is taken by value, like Vec<f64>"),
        ("fn number(&self, x: &f64) {}", "is taken by value"),
        ("fn text(&self, x: &mut str) {}", "is taken by value"),
        ("fn context(&self, #[default(1)] cx: &Context) {}", "the context comes from the request"),
        ("#[property] fn pi(&self, x: f64) -> f64 { x }", "a property is a plain fn"),
        ("#[property] fn pi(&self, cx: &Context) -> f64 { x }", "a property is a plain fn"),
        ("#[property] async fn pi(&self) -> f64 { x }", "a property is a plain fn"),
        ("#[property] const PI: f64 = 3.0;", "a constant is shown as its value already"),
        ("#[name = \"_add\"] fn add(&self) {}", "private by its underscore"),
        ("#[name = \"\"] fn add(&self) {}", "it is empty"),
        ("#[name(\"add\")] fn add(&self) {}", "write #[name = \"...\"]"),
        ("#[name = 1] fn add(&self) {}", "expected string literal"),
        ("#[hidden(yes)] fn add(&self) {}", "unexpected token in attribute"),
        ("fn add(&self) {} #[name = \"add\"] fn sum(&self) {}", "the service has two attributes add"),
        ("const VOLTS: u8 = 1; fn volts(&self) {}", "has a method volts for VOLTS already"),
        ("const TYPE: u8 = 1; fn r#type(&self) {}", "has a method type for TYPE already"),
        ("fn add(&self, #[default(1)] x: u8, y: u8) {}", "cannot follow one with a default"),
        ("fn add(&self, x: Option<u8>, y: u8) {}", "(an Option has one: None)"),
        ("fn add(&self, #[default] x: u8) {}", "expected attribute arguments"),
        ("fn add(&self, #[default(1)] x: u8, #[args] y: Vec<u8>) {}", "stands behind #[args]"),
        ("fn add(&self, #[args] x: Vec<u8>, #[args] y: Vec<u8>) {}", "a method has one #[args]"),
        ("fn add(&self, #[args] x: [u8; 2]) {}", "#[args] stands on a Vec<T>"),
        ("fn add(&self, #[args] #[default(vec![])] x: Vec<u8>) {}", "a default has no place here"),
        ("fn add(&self, #[kwargs] x: Vec<u8>) {}", "#[kwargs] stands on a BTreeMap<String, T>"),
        ("fn add(&self, #[kwargs] x: BTreeMap<u8, u8>) {}", "#[kwargs] stands on a BTreeMap<String, T>"),
        ("fn add(&self, #[kwargs] x: BTreeMap<String, u8>, y: u8) {}", "nothing follows #[kwargs]"),
        ("fn add(&self) -> impl Fn() { || () }", "name the type that is returned"),
    ] {
        let errors = mistakes(items);
        assert!(errors.len() == 1 && errors[0].contains(why), "{items}: {errors:?}");
    }
}

#[test]
fn mistakes_of_the_macros_own_arguments_are_explained() {
    for (arguments, why) in [
        ("label = \"x\"", "#[service] knows name"),
        ("max_clients", "expected `=`"),
        ("name = 1", "expected string literal"),
        ("max_clients = 1, max_clients = 2", "given twice"),
        ("crate = a, crate = b", "given twice"),
        ("client = \"Math\"", "expected boolean literal"),
    ] {
        let errors = errors(expanded(arguments, "impl Meter {}"));
        assert!(errors.len() == 1 && errors[0].contains(why), "{arguments}: {errors:?}");
    }
}

#[test]
fn it_stands_on_an_impl_block_of_a_named_type_or_on_a_trait() {
    for (item, why) in [
        ("struct Meter;", "stands on an impl block"),
        ("fn add() {}", "stands on an impl block"),
        ("impl Instrument for Meter {}", "not on an impl block of a trait"),
        ("impl (u8, u8) {}", "needs a type with a name"),
    ] {
        let errors = errors(expanded("", item));
        assert!(errors.len() == 1 && errors[0].contains(why), "{item}: {errors:?}");
    }
}

#[test]
fn a_trait_says_all_that_a_client_has_to_know() {
    for (item, why) in [
        ("trait Meter<T> { fn add(&self, x: u8); }", "has no generic parameters"),
        ("trait Meter { type Reading; }", "which type this is"),
        ("trait Meter { fn copy(&self) -> Option<Self>; }", "which type Self is"),
        ("trait Meter { fn add(&self, x: Self::Reading); }", "which type Self is"),
        ("trait Meter { const ZERO: Self; }", "which type Self is"),
        ("trait Meter { fn add(&mut self, x: u8); }", "keep what changes in a Mutex"),
        ("trait Meter { fn add(&self); #[name = \"add\"] fn sum(&self); }", "two attributes add"),
        ("trait Meter { const VOLTS: u8; fn volts(&self); }", "has a method volts for VOLTS already"),
    ] {
        let errors = errors(expanded("", item));
        assert!(errors.len() == 1 && errors[0].contains(why), "{item}: {errors:?}");
    }
    let fine =
        "trait Meter { fn new() -> Self; #[skip] fn merge(&self, other: Self); fn _own(self) -> Self; }";
    assert_eq!(errors(expanded("", fine)), [""; 0]);
}

#[test]
fn all_mistakes_are_told_at_once_and_the_block_stays() {
    let tokens = expanded("", "impl Meter { fn a() {} #[hidden] fn b(&mut self, #[default(1)] x: u8) {} }");
    assert!(tokens.to_string().contains("] impl Meter { fn a () { } fn b (& mut self , x : u8) { } }"));
    assert_eq!(errors(tokens).len(), 2);
}

#[test]
fn the_items_stay_without_the_attributes_of_the_macro() {
    let item =
        "impl Meter { #[inline] #[name = \"a\"] fn b(&self, #[default(1)] x: u8) {} #[skip] fn c() {} }";
    let text = expanded("", item).to_string();
    assert!(text.contains("] impl Meter { # [inline] fn b (& self , x : u8) { } fn c () { } }"), "{text}");
    assert!(text.contains(":: msl_network_tokio :: generated :: IntoService for Meter"), "{text}");
}

#[test]
fn names_that_only_the_typed_client_would_have_twice_are_fine_without_it() {
    for arguments in ["client = false", "name = \"Meter\", client = false"] {
        let tokens = expanded(arguments, "impl Meter { const VOLTS: u8 = 1; fn volts(&self) {} }");
        assert_eq!(errors(tokens), [""; 0]);
    }
    let either = "impl Meter { #[cfg(unix)] fn volts(&self) {} #[cfg(not(unix))] fn volts(&self) {} }";
    assert_eq!(errors(expanded("", either)), [""; 0]);
}

#[test]
fn functions_that_make_the_type_and_private_ones_are_left_alone() {
    for items in [
        "fn new() -> Self { Self }",
        "fn new(port: &Port) -> Result<Meter, Error> { loop {} }",
        "async fn open<P>(port: P) -> std::io::Result<Self> { loop {} }",
        "fn _helper(x: &[f64]) {}",
        "#[skip] fn helper<T>(x: &mut T) {}",
        "const _X: u8 = 1;",
    ] {
        let text = expanded("client = false", &format!("impl Meter {{ {items} }}")).to_string();
        assert!(!text.contains("compile_error") && !text.contains(". method"), "{items}: {text}");
    }
}
