//! What an alert's text points at: the files, modules and classes in its stack trace, nearest to the failure first, and whether a
//! change touches them. Read are the frames of Python, the JVM, JavaScript, Go, Ruby, Rust and whatever else writes a path with
//! an extension. What lies in libraries is passed over.

use crate::text;

/// So many are kept, of so many characters.
pub const MOST_NAMES: usize = 8;
const LONGEST: usize = 120;
/// As much of a text is looked at, in bytes.
const MOST_TEXT: usize = 16 * 1024;
const MOST_WORDS: usize = 2_000;

/// Extensions of what people write and change.
const CODE: [&str; 40] = [
    "py", "rb", "js", "jsx", "ts", "tsx", "mjs", "cjs", "go", "rs", "java", "kt", "kts", "scala", "groovy", "clj",
    "php", "cs", "fs", "ex", "exs", "erl", "c", "cc", "cpp", "h", "hpp", "swift", "m", "pl", "lua", "sql", "erb",
    "haml", "vue", "svelte", "sh", "pp", "tf", "yml",
];
const JVM: [&str; 6] = ["java", "kt", "kts", "scala", "groovy", "clj"];
/// Folders in which other people's code lies, and how such places begin.
const LIBRARIES: [&str; 11] = [
    "site-packages",
    "dist-packages",
    "node_modules",
    "gems",
    "vendor",
    ".cargo",
    "rustc",
    "pkg/mod",
    "usr/lib",
    "usr/local/lib",
    "usr/local/go",
];
const LIBRARY_STARTS: [&str; 3] = ["node:", "<frozen", "webpack/runtime"];
/// How the names of hosts end.
const HOSTS: [&str; 10] = ["com", "org", "net", "io", "dev", "uk", "eu", "internal", "local", "svc"];
const LIBRARY_PACKAGES: [&str; 8] =
    ["java/", "javax/", "jdk/", "sun/", "kotlin/", "scala/", "org/springframework/", "org/apache/"];
/// Names that files of many folders have: alone they say little.
const COMMON: [&str; 18] = [
    "__init__",
    "index",
    "main",
    "mod",
    "lib",
    "views",
    "models",
    "utils",
    "helpers",
    "helper",
    "types",
    "constants",
    "config",
    "settings",
    "urls",
    "tests",
    "app",
    "base",
];

/// The files and modules that a text names, nearest to the failure first, each once.
#[must_use]
pub fn names(text: &str) -> Vec<String> {
    let text = &text[..text.floor_char_boundary(MOST_TEXT)];
    // Python tells the innermost call last.
    let traceback =
        ["Traceback (most recent call last)", "File \""].into_iter().filter_map(|start| text.find(start)).min();
    let (before, traceback) = text.split_at(traceback.unwrap_or(text.len()));
    let mut found = named(traceback);
    found.reverse();
    for name in named(before) {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    // A file says more than a module, which may be something else.
    found.sort_by_key(|name| !has_extension(name));
    found.truncate(MOST_NAMES);
    found
}

/// The names in the order in which they stand there.
fn named(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let between = |c: char| c.is_whitespace() || "\"'`,;<>[]{}|".contains(c);
    for word in text.split(between).filter(|word| word.len() > 3).take(MOST_WORDS) {
        for name in [of_jvm(word), of_path(word), of_module(word)].into_iter().flatten().take(1) {
            let name = text::line(&name, LONGEST);
            if !found.contains(&name) {
                found.push(name);
            }
        }
    }
    found
}

/// `com.acme.cart.CartService.total(CartService.java:42)`: the package is the folder.
fn of_jvm(word: &str) -> Option<String> {
    let (method, place) = word.split_once('(')?;
    let file = place.split([':', ')']).next()?;
    let extension = file.rsplit_once('.')?.1;
    if !JVM.contains(&extension) {
        return None;
    }
    // A module stands before a slash, a class loader before two.
    let method = method.rsplit('/').next().unwrap_or(method);
    let mut parts: Vec<&str> = method.split('.').collect();
    parts.truncate(parts.len().saturating_sub(2));
    parts.push(file);
    let path = parts.join("/");
    (!LIBRARY_PACKAGES.iter().any(|package| path.starts_with(package))).then_some(path)
}

/// `/app/cart/views.py:12:5`, `webpack:///./src/cart.ts?`, `(src/cart.js:1:2)`.
fn of_path(word: &str) -> Option<String> {
    let word = word.trim_start_matches('(').rsplit("://").next()?.replace('\\', "/");
    let end = word.find([':', ')', '?', '(']).unwrap_or(word.len());
    let path = word[..end].trim_end_matches('.').trim_start_matches(['.', '/']);
    if !has_extension(path) || is_library(path) {
        return None;
    }
    Some(path.to_owned())
}

fn is_library(path: &str) -> bool {
    let whole = format!("/{path}");
    LIBRARIES.iter().any(|library| whole.contains(&format!("/{library}/")))
        || LIBRARY_STARTS.iter().any(|start| path.starts_with(start))
}

fn has_extension(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').is_some_and(|(stem, extension)| !stem.is_empty() && CODE.contains(&extension))
}

/// `cart.views`, `cart::total::sum`, `github.com/acme/shop/cart.Total(...)`: as a path without an extension.
fn of_module(word: &str) -> Option<String> {
    let word = word.split('(').next()?.trim_matches(|c: char| !c.is_alphanumeric() && c != '_');
    let path = word.replace("::", "/").replace('.', "/");
    let is_name = |part: &str| {
        part.len() > 1
            && part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
    };
    let parts = path.split('/').count();
    let host = path.rsplit('/').next().is_some_and(|last| HOSTS.contains(&last));
    let library = host || LIBRARY_PACKAGES.iter().any(|package| path.starts_with(package));
    ((2..12).contains(&parts) && !library && path.split('/').all(is_name)).then_some(path)
}

/// How surely these names mean one of these files, and which: 1 where the innermost frame names it with its folder.
#[must_use]
pub fn matches<'a>(names: &[String], paths: &[&'a str]) -> Option<(f64, &'a str)> {
    let mut best: Option<(f64, &str)> = None;
    for (depth, name) in names.iter().enumerate() {
        let nearness = 3.0 / (3.0 + super::facts::count(depth));
        for path in paths {
            let sure = nearness * surely(name, path);
            if sure > 0.0 && best.is_none_or(|(known, file)| sure > known || sure == known && *path < file) {
                best = Some((sure, path));
            }
        }
    }
    best
}

/// How surely a name means this file.
fn surely(name: &str, path: &str) -> f64 {
    if !has_extension(name) {
        let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
        // The last parts of a module's name may be a class and a function in it.
        let mut module = name;
        for _ in 0..3 {
            if common(module, stem) >= 2 {
                return 0.7;
            }
            let Some((shorter, _)) = module.rsplit_once('/') else { break };
            module = shorter;
        }
        return 0.0;
    }
    let common = common(name, path);
    let stem = path.rsplit('/').next().and_then(|file| file.split('.').next()).unwrap_or_default();
    let often = if COMMON.contains(&stem) { 0.2 } else { 1.0 };
    let parts = |path: &str| path.split('/').count();
    match common {
        0 => 0.0,
        1 if parts(path) == 1 && parts(name) == 1 => 0.7 * often,
        // The file at the end of a longer path, such as that of a container.
        n if n == parts(path) => {
            if n > 1 {
                1.0
            } else {
                0.5 * often
            }
        }
        // The name is shorter: there may be others that end so.
        n if n == parts(name) => {
            if n > 1 {
                0.8
            } else {
                0.5 * often
            }
        }
        // They part ways: a file of that name elsewhere, unless their roots differ.
        1 => 0.1 * often,
        2 => 0.2 * often,
        _ => 0.4 * often,
    }
}

/// How many parts two paths share at their ends.
fn common(a: &str, b: &str) -> usize {
    a.rsplit('/').zip(b.rsplit('/')).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
#[path = "named_tests.rs"]
mod tests;
