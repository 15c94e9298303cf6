//! The arguments of the macro itself: `#[service(name = "...", max_clients = 1)]`.

use syn::meta::ParseNestedMeta;
use syn::parse::Parser;
use syn::{Expr, LitBool, LitStr, Path};

/// What stands in the parentheses.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) max_clients: Option<Expr>,
    pub(crate) max_concurrent: Option<Expr>,
    pub(crate) root: Option<Path>,
    pub(crate) no_client: bool,
}

impl Options {
    pub(crate) fn parse(arguments: proc_macro2::TokenStream) -> syn::Result<Self> {
        let mut options = Self::default();
        syn::meta::parser(|meta| options.read(&meta)).parse2(arguments)?;
        Ok(options)
    }

    fn read(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let key = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        match key.as_str() {
            "name" => once(meta, &mut self.name),
            "max_clients" => once(meta, &mut self.max_clients),
            "max_concurrent" => once(meta, &mut self.max_concurrent),
            "crate" => {
                if self.root.is_some() {
                    return Err(meta.error("given twice"));
                }
                self.root = Some(meta.value()?.call(Path::parse_mod_style)?);
                Ok(())
            }
            "client" => {
                self.no_client = !meta.value()?.parse::<LitBool>()?.value;
                Ok(())
            }
            _ => Err(meta.error(
                "#[service] knows name = \"...\", max_clients = N, max_concurrent = N, client = false and crate = path",
            )),
        }
    }
}

fn once<T: syn::parse::Parse>(meta: &ParseNestedMeta<'_>, option: &mut Option<T>) -> syn::Result<()> {
    if option.is_some() {
        return Err(meta.error("given twice"));
    }
    *option = Some(meta.value()?.parse()?);
    Ok(())
}
