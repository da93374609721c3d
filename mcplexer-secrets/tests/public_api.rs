//! No type of a dependency is part of the public API.
//!
//! This test reads the source. There, every `pub` item can be reached from outside, as the lint
//! `unreachable_pub` ensures. It examines signatures, fields, variants, aliases, implementations of
//! foreign traits, and derives. A path that begins with a dependency, or with a name imported from
//! one, is a leak.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::punctuated::Punctuated;
use syn::visit::Visit;
use syn::{Attribute, Item, ItemImpl, Signature, Token, TraitItem, Type, UseTree, Visibility};

/// Traits of dependencies that our types implement on purpose. Records, audit lines, backups and
/// reports have a documented form that other programs write with serde. A secret value declares
/// that it wipes itself. And thiserror's derive implements `std::error::Error`.
const ON_PURPOSE: [&str; 4] = [
    "serde::Serialize",
    "serde::Deserialize",
    "thiserror::Error",
    "zeroize::ZeroizeOnDrop",
];

/// Returns the dependencies by the names used in code, including our own crates.
fn dependencies() -> BTreeSet<String> {
    let manifest = include_str!("../Cargo.toml");
    let lines = manifest
        .lines()
        .skip_while(|it| *it != "[dependencies]")
        .skip(1);
    let lines = lines.take_while(|it| !it.starts_with('['));
    let names = lines.filter_map(|it| it.split(['.', ' ']).next());
    names
        .filter(|it| !it.is_empty())
        .map(|it| it.replace('-', "_"))
        .collect()
}

/// A source file being examined.
struct File<'a> {
    dependencies: &'a BTreeSet<String>,
    /// The path of each imported name.
    imports: BTreeMap<String, String>,
    /// The names of all public types of the crate.
    public: &'a BTreeSet<String>,
    place: String,
    leaks: Vec<String>,
}

impl File<'_> {
    fn import(&mut self, tree: &UseTree, before: &str) {
        let join = |name: &dyn ToString| format!("{before}{}", name.to_string());
        match tree {
            UseTree::Path(path) => self.import(&path.tree, &format!("{}::", join(&path.ident))),
            UseTree::Name(name) => {
                self.imports
                    .insert(name.ident.to_string(), join(&name.ident));
            }
            UseTree::Rename(it) => {
                self.imports.insert(it.rename.to_string(), join(&it.ident));
            }
            UseTree::Group(group) => group.items.iter().for_each(|it| self.import(it, before)),
            UseTree::Glob(_) => {}
        }
    }

    /// Returns the full path, if it begins with a dependency.
    fn foreign(&self, path: &syn::Path) -> Option<String> {
        let mut names: Vec<_> = path
            .segments
            .iter()
            .map(|it| it.ident.to_string())
            .collect();
        if let Some(whole) = names.first().and_then(|first| self.imports.get(first)) {
            names[0].clone_from(whole);
        }
        let whole = names.join("::");
        let root = whole.split("::").next()?.to_owned();
        self.dependencies.contains(&root).then_some(whole)
    }

    fn leak(&mut self, path: &syn::Path) {
        if let Some(path) = self.foreign(path)
            && !ON_PURPOSE.contains(&path.as_str())
        {
            self.leaks.push(format!("{}: {path}", self.place));
        }
    }

    fn derives(&mut self, attributes: &[Attribute]) {
        for attribute in attributes.iter().filter(|it| it.path().is_ident("derive")) {
            let parse = Punctuated::<syn::Path, Token![,]>::parse_terminated;
            for path in attribute.parse_args_with(parse).unwrap() {
                self.leak(&path);
            }
        }
    }

    fn signature(&mut self, signature: &Signature) {
        self.visit_signature(signature);
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Fn(it) if is_public(&it.vis) => self.signature(&it.sig),
            Item::Const(it) if is_public(&it.vis) => self.visit_type(&it.ty),
            Item::Static(it) if is_public(&it.vis) => self.visit_type(&it.ty),
            Item::Type(it) if is_public(&it.vis) => self.visit_type(&it.ty),
            Item::Use(it) if is_public(&it.vis) => {
                let mut names = File {
                    imports: BTreeMap::new(),
                    leaks: Vec::new(),
                    place: self.place.clone(),
                    ..*self
                };
                names.import(&it.tree, "");
                let imported = names.imports.into_values();
                let foreign = imported.filter(|it| {
                    let root = it.split("::").next().unwrap_or_default();
                    self.dependencies.contains(root)
                });
                let foreign: Vec<_> = foreign.collect();
                self.leaks.extend(foreign);
            }
            Item::Struct(it) if is_public(&it.vis) => {
                self.derives(&it.attrs);
                self.visit_generics(&it.generics);
                for field in it.fields.iter().filter(|it| is_public(&it.vis)) {
                    self.visit_type(&field.ty);
                }
            }
            Item::Enum(it) if is_public(&it.vis) => {
                self.derives(&it.attrs);
                self.visit_generics(&it.generics);
                for field in it.variants.iter().flat_map(|it| it.fields.iter()) {
                    self.visit_type(&field.ty);
                }
            }
            Item::Trait(it) if is_public(&it.vis) => {
                self.visit_generics(&it.generics);
                it.supertraits
                    .iter()
                    .for_each(|it| self.visit_type_param_bound(it));
                for item in &it.items {
                    match item {
                        TraitItem::Fn(it) => self.signature(&it.sig),
                        other => self.visit_trait_item(other),
                    }
                }
            }
            Item::Impl(it) => self.implementation(it),
            Item::Mod(it) if !is_test(&it.attrs) => {
                let items = it.content.iter().flat_map(|(_, items)| items);
                items.for_each(|it| self.item(it));
            }
            _ => {}
        }
    }

    fn implementation(&mut self, it: &ItemImpl) {
        let Type::Path(own) = &*it.self_ty else {
            return;
        };
        let own = own.path.segments.last().map(|it| it.ident.to_string());
        if !own.is_some_and(|own| self.public.contains(&own)) {
            return;
        }
        if let Some((_, path, _)) = &it.trait_ {
            // With its parameters: `From<age::Recipient>`.
            self.visit_path(path);
            return;
        }
        for item in &it.items {
            match item {
                syn::ImplItem::Fn(it) if is_public(&it.vis) => self.signature(&it.sig),
                syn::ImplItem::Const(it) if is_public(&it.vis) => self.visit_type(&it.ty),
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for File<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.leak(path);
        syn::visit::visit_path(self, path);
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|it| {
        it.path().is_ident("cfg") && it.parse_args::<syn::Ident>().is_ok_and(|it| it == "test")
    })
}

/// Returns every source file of the library, by name.
fn sources(directory: &Path, found: &mut Vec<(String, syn::File)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path.display().to_string(), syn::parse_file(&text).unwrap()));
        }
    }
}

fn public_types(items: &[Item], found: &mut BTreeSet<String>) {
    for item in items {
        let (visibility, name) = match item {
            Item::Struct(it) => (&it.vis, &it.ident),
            Item::Enum(it) => (&it.vis, &it.ident),
            Item::Mod(it) if !is_test(&it.attrs) => {
                let items = it.content.iter().map(|(_, items)| items);
                items.for_each(|items| public_types(items, found));
                continue;
            }
            _ => continue,
        };
        if is_public(visibility) {
            found.insert(name.to_string());
        }
    }
}

fn leaks(sources: &[(String, syn::File)]) -> Vec<String> {
    let dependencies = dependencies();
    let mut public = BTreeSet::new();
    sources
        .iter()
        .for_each(|(_, it)| public_types(&it.items, &mut public));
    let mut leaks = Vec::new();
    for (place, source) in sources {
        let mut file = File {
            dependencies: &dependencies,
            imports: BTreeMap::new(),
            public: &public,
            place: place.rsplit("/src/").next().unwrap_or(place).to_owned(),
            leaks: Vec::new(),
        };
        for item in &source.items {
            if let Item::Use(it) = item {
                file.import(&it.tree, "");
            }
        }
        source.items.iter().for_each(|it| file.item(it));
        leaks.extend(file.leaks);
    }
    leaks
}

#[test]
fn no_type_of_a_dependency_is_public() {
    let mut found = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut found,
    );
    assert_eq!(leaks(&found), [""; 0]);
}

#[test]
fn each_kind_of_leak_is_found() {
    let source = r#"
        use age::secrecy::SecretString;
        use redb as database;
        use zeroize::Zeroizing;
        pub fn given() -> Zeroizing<Vec<u8>> {}
        pub fn taken(it: Option<&SecretString>) {}
        pub(crate) fn inner() -> Zeroizing<Vec<u8>> {}
        pub struct Own { pub leak: age::Decryptor, hidden: age::Encryptor }
        pub enum Kind { One(database::Error) }
        pub trait Joint { fn joint(&self) -> Box<dyn age::Identity>; }
        pub use age::Recipient;
        #[derive(Debug, postcard::experimental::max_size::MaxSize, serde::Serialize)]
        pub struct Shown;
        impl From<age::x25519::Recipient> for Own {}
        impl age::Callbacks for Own {}
        impl Own { pub fn all<T: redb::Key>(&self) {} fn own(&self) -> redb::Database {} }
        struct Private;
        impl age::Recipient for Private {}
    "#;
    let found = leaks(&[("x".to_owned(), syn::parse_file(source).unwrap())]);
    let expected = [
        "x: zeroize::Zeroizing",
        "x: age::secrecy::SecretString",
        "x: age::Decryptor",
        "x: redb::Error",
        "x: age::Identity",
        "age::Recipient",
        "x: postcard::experimental::max_size::MaxSize",
        "x: age::x25519::Recipient",
        "x: age::Callbacks",
        "x: redb::Key",
    ];
    assert_eq!(found, expected);
}
