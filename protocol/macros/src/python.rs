//! Rust's types and defaults in the words of Python, for people who read a service's signatures there.
//!
//! Only words: nothing here decides what is accepted. A type that Python has no word for is called by its Rust name.

use syn::{Expr, ExprLit, GenericArgument, Lit, PathArguments, PathSegment, ReturnType, Type, UnOp};

/// The word for a type.
pub(crate) fn annotation(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path.path.segments.last().map_or_else(any, of_segment),
        Type::Reference(reference) => annotation(&reference.elem),
        Type::Paren(paren) => annotation(&paren.elem),
        Type::Group(group) => annotation(&group.elem),
        Type::Slice(slice) => format!("List[{}]", annotation(&slice.elem)),
        Type::Array(array) => format!("List[{}]", annotation(&array.elem)),
        Type::Tuple(tuple) if tuple.elems.is_empty() => "None".to_string(),
        Type::Tuple(tuple) => format!("Tuple[{}]", list(tuple.elems.iter().map(annotation))),
        _ => any(),
    }
}

/// The word for what a method returns: the value, if all goes well.
pub(crate) fn result(output: &ReturnType) -> String {
    match output {
        ReturnType::Default => "None".to_string(),
        ReturnType::Type(_, ty) => annotation(success(ty)),
    }
}

/// The type of a value within a `Result`, or the type itself.
pub(crate) fn success(ty: &Type) -> &Type {
    let Type::Path(path) = ty else { return ty };
    let segment = path.path.segments.last().filter(|segment| segment.ident == "Result");
    segment.and_then(|segment| types(segment).next()).unwrap_or(ty)
}

/// The type within an `Option`.
pub(crate) fn optional(ty: &Type) -> Option<&Type> {
    within(ty, "Option").and_then(|mut types| types.next())
}

/// The arguments of a type with this name.
pub(crate) fn within<'a>(ty: &'a Type, name: &str) -> Option<impl Iterator<Item = &'a Type>> {
    let Type::Path(path) = ty else { return None };
    path.path.segments.last().filter(|segment| segment.ident == name).map(types)
}

fn any() -> String {
    "Any".to_string()
}

fn of_segment(segment: &PathSegment) -> String {
    let name = segment.ident.to_string();
    let arguments: Vec<String> = types(segment).map(annotation).collect();
    match (name.as_str(), &arguments[..]) {
        ("f32" | "f64", _) => "float".to_string(),
        (
            "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64" | "u128" | "usize",
            _,
        ) => "int".to_string(),
        ("bool", _) => "bool".to_string(),
        ("str" | "String" | "char", _) => "str".to_string(),
        ("Value" | "RawValue" | "Json", []) => any(),
        ("Vec" | "VecDeque" | "BTreeSet" | "HashSet", [item, ..]) => format!("List[{item}]"),
        ("Option", [item]) => format!("Optional[{item}]"),
        ("BTreeMap" | "HashMap", [key, value, ..]) => format!("Dict[{key}, {value}]"),
        ("Box" | "Rc" | "Arc" | "Cow", [inner]) => inner.clone(),
        (_, []) => name,
        (_, arguments) => format!("{name}[{}]", list(arguments.iter().cloned())),
    }
}

fn types(segment: &PathSegment) -> impl Iterator<Item = &Type> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments.into_iter().flatten().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

/// The Python literal for a default; `...` for anything that is not one.
pub(crate) fn literal(expr: &Expr) -> String {
    try_literal(expr).unwrap_or_else(|| "...".to_string())
}

fn try_literal(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(ExprLit { lit, .. }) => of_literal(lit),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            Some(format!("-{}", try_literal(&unary.expr)?))
        }
        Expr::Paren(paren) => try_literal(&paren.expr),
        Expr::Group(group) => try_literal(&group.expr),
        Expr::Path(path) if path.path.is_ident("None") => Some("None".to_string()),
        Expr::Call(call) => match (&*call.func, call.args.first()) {
            (Expr::Path(path), Some(inner)) if path.path.is_ident("Some") => try_literal(inner),
            _ => None,
        },
        Expr::Array(array) => Some(format!("[{}]", literals(&array.elems)?)),
        Expr::Tuple(tuple) if tuple.elems.len() > 1 => Some(format!("({})", literals(&tuple.elems)?)),
        Expr::Macro(of) if of.mac.path.is_ident("vec") && of.mac.tokens.is_empty() => Some("[]".to_string()),
        _ => None,
    }
}

fn literals<P>(items: &syn::punctuated::Punctuated<Expr, P>) -> Option<String> {
    let items: Option<Vec<String>> = items.iter().map(try_literal).collect();
    Some(items?.join(", "))
}

fn of_literal(lit: &Lit) -> Option<String> {
    match lit {
        Lit::Int(number) => Some(number.base10_digits().to_string()),
        Lit::Float(number) => {
            let digits = number.base10_digits();
            Some(if digits.ends_with('.') { format!("{digits}0") } else { digits.to_string() })
        }
        Lit::Bool(value) => Some(if value.value { "True" } else { "False" }.to_string()),
        Lit::Str(text) => Some(quoted(&text.value())),
        Lit::Char(character) => Some(quoted(&character.value().to_string())),
        _ => None,
    }
}

/// A string in single quotes.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    for character in text.chars() {
        match character {
            '\'' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => {
                quoted.extend(format!("\\u{:04x}", u32::from(control)).chars());
            }
            plain => quoted.push(plain),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_str;

    #[test]
    fn types_have_the_words_of_python() {
        for (rust, python) in [
            ("f32", "float"),
            ("f64", "float"),
            ("u128", "int"),
            ("isize", "int"),
            ("bool", "bool"),
            ("String", "str"),
            ("&'static str", "str"),
            ("std::string::String", "str"),
            ("Vec<f64>", "List[float]"),
            ("[u8; 3]", "List[int]"),
            ("&[f64]", "List[float]"),
            ("Option<Vec<i64>>", "Optional[List[int]]"),
            ("HashMap<String, f64>", "Dict[str, float]"),
            ("std::collections::BTreeMap<String, Vec<bool>>", "Dict[str, List[bool]]"),
            ("()", "None"),
            ("(f64, String)", "Tuple[float, str]"),
            ("Box<RawValue>", "Any"),
            ("serde_json::Value", "Any"),
            ("Cow<'static, str>", "str"),
            ("Reading", "Reading"),
            ("Reading<f64>", "Reading[float]"),
        ] {
            assert_eq!(annotation(&parse_str(rust).unwrap()), python, "{rust}");
        }
    }

    #[test]
    fn a_result_is_called_by_its_value() {
        for (rust, python) in [
            ("", "None"),
            ("-> f64", "float"),
            ("-> Result<f64, ServiceError>", "float"),
            ("-> std::io::Result<()>", "None"),
            ("-> impl Serialize", "Any"),
        ] {
            assert_eq!(result(&parse_str(rust).unwrap()), python, "{rust}");
        }
    }

    #[test]
    fn defaults_that_are_literals_are_shown() {
        for (rust, python) in [
            ("2.0", "2.0"),
            ("2.", "2.0"),
            ("-1_000i64", "-1000"),
            ("0x10", "16"),
            ("1e3", "1e3"),
            ("true", "True"),
            ("\"it's\\n\"", "'it\\'s\\n'"),
            ("'V'", "'V'"),
            ("None", "None"),
            ("Some(1)", "1"),
            ("[1, 2]", "[1, 2]"),
            ("(1, \"a\")", "(1, 'a')"),
            ("vec![]", "[]"),
            ("vec![1]", "..."),
            ("f64::NAN", "..."),
            ("Duration::from_secs(1)", "..."),
        ] {
            assert_eq!(literal(&parse_str(rust).unwrap()), python, "{rust}");
        }
    }
}
