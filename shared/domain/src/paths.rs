//! Patterns of paths, as `.gitignore` and GitHub's CODEOWNERS write them: which files of a repository they mean.
//!
//! `docs/` is a folder at any depth, `/docs/` that of the root, `*.rb` an ending, `docs/*` the files directly in
//! a folder, `docs/**` all below it. Letter case counts. Deliberately absent, as on GitHub: `!`, `[ ]` and `\#`.

use std::collections::BTreeMap;
use std::fmt;

use fast_glob::glob_match;

/// How many patterns one list may have.
pub const MOST_PATTERNS: usize = 1000;
const MOST_LENGTH: usize = 500;
/// A path with more folders than these is compared by the outermost of them.
const MOST_FOLDERS: usize = 50;

/// Which slash ties a pattern to the root of the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// One at the start or in the middle: `.gitignore`, GitHub.
    AnySlash,
    /// One at the start only: GitLab.
    LeadingSlash,
}

/// What a pattern's glob is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    File,
    /// The folder that the file is directly in.
    Parent,
    /// Any folder that the file is in.
    Folder,
    /// The file and any folder that it is in.
    Both,
}

impl Means {
    /// Whether it is compared with a file, its parent, or a folder further up.
    fn includes(self, candidate: Means) -> bool {
        match self {
            Self::Both => true,
            Self::Folder => matches!(candidate, Self::Folder | Self::Parent),
            Self::File | Self::Parent => self == candidate,
        }
    }
}

/// One pattern. A file is also compared by its folders, so that most patterns stay plain names, which are looked up and not
/// searched.
pub(crate) struct Pattern {
    shape: Shape,
    means: Means,
}

/// How a pattern is compared with a path.
enum Shape {
    /// With the whole of it: `lms/urls.py`.
    Whole(String),
    /// With its last part: `Makefile`.
    Name(String),
    /// With the end of its last part: `*.rb`.
    Ending(String),
    Glob(String),
}

impl Pattern {
    /// `Err`: why it is none.
    pub(crate) fn new(pattern: &str, anchor: Anchor) -> Result<Self, String> {
        let refused = [
            (pattern.len() > MOST_LENGTH, "is too long"),
            (pattern.starts_with('!'), "`!` is not supported: write what is meant, not what is not"),
            (pattern.starts_with("\\#"), "`\\#` is not supported: a path cannot begin with `#`"),
            (pattern.contains(['[', ']']), "`[ ]` is not supported: write `?` for one character"),
            (pattern.chars().all(|c| c == '/'), "names no file"),
            (ends_in_escape(pattern), "ends in a `\\` that escapes nothing"),
        ];
        if let Some((_, why)) = refused.iter().find(|(is_refused, _)| *is_refused) {
            return Err((*why).to_owned());
        }
        let core = stars(pattern.trim_matches('/'));
        let core = core.as_str();
        let is_anchored = pattern.starts_with('/') || (anchor == Anchor::AnySlash && core.contains('/'));
        let (core, means) = match core.rsplit_once('/') {
            _ if pattern.ends_with('/') => (core, Means::Folder),
            Some((folder, "*" | "**")) if folder.ends_with("**") => (core, Means::File),
            Some((folder, "*")) => (folder, Means::Parent),
            Some((folder, "**")) => (folder, Means::Folder),
            None if core == "*" && is_anchored => (core, Means::File),
            Some(_) | None => (core, Means::Both),
        };
        Ok(Self { shape: shape(core, is_anchored), means })
    }
}

/// Whether a text ends in an odd number of backslashes.
fn ends_in_escape(pattern: &str) -> bool {
    pattern.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1
}

/// Two stars are something else than one only where they are all of a folder's name.
fn stars(pattern: &str) -> String {
    let mut parts: Vec<String> = pattern.split('/').map(str::to_owned).collect();
    for part in parts.iter_mut().filter(|part| *part != "**") {
        while part.contains("**") {
            *part = part.replace("**", "*");
        }
    }
    parts.join("/")
}

fn shape(core: &str, is_anchored: bool) -> Shape {
    let is_plain = |text: &str| !text.contains(['*', '?', '\\']);
    match core.strip_prefix("**/").filter(|rest| !rest.contains('/')).or((!is_anchored).then_some(core)) {
        None if is_plain(core) => Shape::Whole(core.to_owned()),
        Some(name) if !name.contains('/') && is_plain(name) => Shape::Name(name.to_owned()),
        Some(name) if !name.contains('/') && name.strip_prefix('*').is_some_and(is_plain) => {
            Shape::Ending(name.trim_start_matches('*').to_owned())
        }
        _ => {
            // Braces, and a `!` at the start, are ordinary characters of a path.
            let mut glob = if is_anchored || core.starts_with("**/") { core.to_owned() } else { format!("**/{core}") };
            glob = glob.replace('{', "\\{").replace('}', "\\}");
            if glob.starts_with('!') {
                glob.insert(0, '\\');
            }
            Shape::Glob(glob)
        }
    }
}

/// Many patterns, of which the last that means a file counts. Each list of places is in rising order.
#[derive(Clone, Default)]
pub(crate) struct Patterns {
    whole: BTreeMap<String, Vec<usize>>,
    names: BTreeMap<String, Vec<usize>>,
    endings: Vec<(usize, String)>,
    globs: Vec<(usize, String)>,
    means: Vec<Means>,
}

impl Patterns {
    pub(crate) fn new(patterns: Vec<Pattern>) -> Self {
        let mut all = Self::default();
        for (at, pattern) in patterns.into_iter().enumerate() {
            all.means.push(pattern.means);
            match pattern.shape {
                Shape::Whole(path) => all.whole.entry(path).or_default().push(at),
                Shape::Name(name) => all.names.entry(name).or_default().push(at),
                Shape::Ending(ending) => all.endings.push((at, ending)),
                Shape::Glob(glob) => all.globs.push((at, glob)),
            }
        }
        all
    }

    /// The last pattern that means this file.
    pub(crate) fn last_match(&self, path: &str) -> Option<usize> {
        let path = path.trim_start_matches('/');
        let parent = path.rfind('/');
        let folders = path.match_indices('/').take(MOST_FOLDERS).map(|(end, _)| {
            let kind = if Some(end) == parent { Means::Parent } else { Means::Folder };
            (path.get(..end).unwrap_or(path), kind)
        });
        let mut last = None;
        for (candidate, kind) in folders.chain([(path, Means::File)]) {
            let name = candidate.rsplit('/').next().unwrap_or(candidate);
            let fits = |at: &usize| self.means.get(*at).is_some_and(|means| means.includes(kind));
            let known = |map: &BTreeMap<String, Vec<usize>>, key: &str| {
                map.get(key).and_then(|places| places.iter().rev().copied().find(|at| fits(at)))
            };
            last = last.max(known(&self.whole, candidate)).max(known(&self.names, name));
            // From the last on, and no further than what is known already.
            let searched = |list: &[(usize, String)], last: Option<usize>, meant: &dyn Fn(&str) -> bool| {
                let later = list.iter().rev().take_while(|(at, _)| Some(*at) > last);
                later.filter(|(at, _)| fits(at)).find(|(_, text)| meant(text)).map(|(at, _)| *at)
            };
            last = last.max(searched(&self.endings, last, &|ending| name.ends_with(ending)));
            last = last.max(searched(&self.globs, last, &|glob| glob_match(glob, candidate)));
        }
        last
    }
}

/// A set of patterns: the part of a repository that is somebody's.
#[derive(Clone, Default)]
pub struct Paths {
    patterns: Vec<String>,
    compiled: Patterns,
}

impl Paths {
    /// `Err`: the first pattern that is none, by its place, and why.
    pub fn new(patterns: &[String]) -> Result<Self, (usize, String)> {
        if patterns.len() > MOST_PATTERNS {
            return Err((MOST_PATTERNS, format!("is one of more than {MOST_PATTERNS} patterns")));
        }
        let read = |(i, text): (usize, &String)| Pattern::new(text, Anchor::AnySlash).map_err(|why| (i, why));
        let read = patterns.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { patterns: patterns.to_vec(), compiled: Patterns::new(read) })
    }

    /// Whether one of the patterns means this file. Without patterns there is none.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.compiled.last_match(path).is_some()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }
}

impl fmt::Debug for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.patterns).finish()
    }
}

impl PartialEq for Paths {
    fn eq(&self, other: &Self) -> bool {
        self.patterns == other.patterns
    }
}

impl Eq for Paths {}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn paths(patterns: &[&str]) -> Paths {
        Paths::new(&patterns.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn patterns_mean_what_gitignore_and_github_say() {
        for (pattern, inside, outside) in [
            ("*", &["a", "a/b", ".env"][..], &[][..]),
            ("*.js", &["a.js", "a/b.js", "a.js/b"], &["a.jsx", "js"]),
            ("/build/logs/", &["build/logs/a", "build/logs/a/b"], &["build/logs", "x/build/logs/a"]),
            ("docs/*", &["docs/a.md"], &["docs/a/b.md", "x/docs/a.md", "docs"]),
            ("/*", &["a"], &["a/b"]),
            ("apps/", &["apps/a", "x/apps/a"], &["apps", "myapps/a"]),
            ("/docs/", &["docs/a"], &["x/docs/a"]),
            ("/docs", &["docs", "docs/a"], &["x/docs", "docsy"]),
            ("lms/urls.py", &["lms/urls.py"], &["x/lms/urls.py", "lms/urlsXpy"]),
            ("lms/**", &["lms/a", "lms/a/b"], &["lms", "cms/a"]),
            ("**/logs", &["logs", "a/logs", "a/b/logs/c"], &["logsy"]),
            ("a/**/b", &["a/b", "a/x/b", "a/x/y/b/c"], &["b", "x/a/b"]),
            ("apps/*/api/", &["apps/x/api/a"], &["apps/api/a", "apps/x/y/api/a"]),
            ("**/*", &["a", "a/b/c"], &[]),
            ("**", &["a", "a/b/c"], &[]),
            ("a/**/*", &["a/b", "a/b/c"], &["a", "b"]),
            ("x/*/*", &["x/a/b"], &["x/a", "x/a/b/c"]),
            ("a?c", &["abc", "x/abc"], &["a/c", "ac"]),
            ("a\\*b", &["a*b"], &["axb"]),
            ("with space/", &["with space/a"], &["with"]),
            ("x{1,2}", &["x{1,2}"], &["x1"]),
            ("Makefile", &["Makefile", "a/Makefile"], &["makefile"]),
        ] {
            let paths = paths(&[pattern]);
            for path in inside {
                assert!(paths.matches(path), "{pattern} means {path}");
                assert!(paths.matches(&format!("/{path}")), "{pattern} means /{path}");
            }
            for path in outside {
                assert!(!paths.matches(path), "{pattern} does not mean {path}");
            }
        }
    }

    /// The number of the last pattern that means a path, as globset says: every pattern a regular expression.
    fn last_by_globset(patterns: &[Pattern], path: &str) -> Option<usize> {
        let parent = path.rfind('/');
        let folders = path
            .match_indices('/')
            .map(|(end, _)| (&path[..end], if Some(end) == parent { Means::Parent } else { Means::Folder }));
        let candidates: Vec<_> = folders.chain([(path, Means::File)]).collect();
        let escaped = |text: &str| text.replace('{', "\\{").replace('}', "\\}");
        patterns.iter().rposition(|pattern| {
            let glob = match &pattern.shape {
                Shape::Whole(path) => escaped(path),
                Shape::Name(name) => format!("**/{}", escaped(name)),
                Shape::Ending(ending) => format!("**/*{}", escaped(ending)),
                Shape::Glob(glob) => glob.clone(),
            };
            let built = globset::GlobBuilder::new(&glob).literal_separator(true).backslash_escape(true).build();
            let matcher = built.unwrap().compile_matcher();
            candidates.iter().any(|(path, kind)| pattern.means.includes(*kind) && matcher.is_match(path))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn the_last_pattern_that_means_a_file_is_the_one_that_globset_finds(
            texts in vec("/?(\\*\\*/)?[ab*?.{}]{1,3}(/[ab*?.!]{1,3}|/\\*\\*){0,3}/?", 1..12),
            paths in vec("[ab.{}!]{1,3}(/[ab.]{1,3}){0,4}", 1..12),
        ) {
            let read = || texts.iter().filter_map(|text| Pattern::new(text, Anchor::AnySlash).ok()).collect::<Vec<_>>();
            let (expected, ours) = (read(), Patterns::new(read()));
            for path in &paths {
                prop_assert_eq!(ours.last_match(path), last_by_globset(&expected, path), "{:?} {}", texts, path);
            }
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_by_its_place() {
        for bad in ["!a", "[ab].js", "\\#a", "/", "", "a\\", &"x".repeat(501)] {
            let (at, why) = Paths::new(&["lms/**".to_owned(), bad.to_owned()]).unwrap_err();
            assert!(at == 1 && !why.is_empty(), "{bad}: {why}");
        }
        assert_eq!(Paths::new(&vec!["a".to_owned(); 1001]).unwrap_err().0, 1000);
        assert!(paths(&[]).is_empty() && !paths(&[]).matches("a"));
        assert_eq!(format!("{:?}", paths(&["a/", "*.rb"])), r#"["a/", "*.rb"]"#);
        assert_ne!(paths(&["a"]), paths(&["b"]));
        assert_eq!(paths(&["a", "b"]), paths(&["a", "b"]));
    }
}
