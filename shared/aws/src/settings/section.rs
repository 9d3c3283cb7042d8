//! A table of the configuration under reading: typed values, and a problem with its line for whatever is not
//! right, so that one reading finds every mistake.

mod measures;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Problem;
use super::spelling::distance;

/// The line, from 1, of a byte of the text.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes().iter().take(at).filter(|b| **b == b'\n').count()
}

/// Reads a file that the configuration names, by its path relative to the configuration. `Err`: why not.
pub(super) type Files<'a> = &'a dyn Fn(&str) -> Result<String, String>;

pub(super) struct Section<'a, 'p> {
    text: &'a str,
    files: Files<'a>,
    table: &'a DeTable<'a>,
    span: Range<usize>,
    /// How the section is called in a problem: `services.edxapp`.
    name: String,
    used: BTreeSet<String>,
    problems: &'p mut Vec<Problem>,
}

impl<'a, 'p> Section<'a, 'p> {
    pub(super) fn root(
        text: &'a str,
        document: &'a Spanned<DeTable<'a>>,
        files: Files<'a>,
        problems: &'p mut Vec<Problem>,
    ) -> Self {
        let (table, used) = (document.get_ref(), BTreeSet::new());
        Self { text, files, table, span: 0..0, name: String::new(), used, problems }
    }

    /// A problem with the section as a whole.
    pub(super) fn problem(&mut self, what: impl Into<String>) {
        let span = self.span.clone();
        self.problem_at(&span, what);
    }

    /// A problem with the value of `key`.
    pub(super) fn problem_with(&mut self, key: &str, what: impl Into<String>) {
        let span = self.table.get(key).map_or_else(|| self.span.clone(), Spanned::span);
        self.problem_at(&span, what);
    }

    fn problem_at(&mut self, span: &Range<usize>, what: impl Into<String>) {
        let place = if self.name.is_empty() { String::new() } else { format!("[{}] ", self.name) };
        self.problems.push(Problem { line: line_of(self.text, span.start), what: format!("{place}{}", what.into()) });
    }

    /// Whether something, right or wrong, is written under `key`.
    pub(super) fn has(&self, key: &str) -> bool {
        match self.table.get(key).map(Spanned::get_ref) {
            Some(DeValue::Array(list)) => !list.is_empty(),
            other => other.is_some(),
        }
    }

    fn value(&mut self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.used.insert(key.to_owned());
        self.table.get(key)
    }

    fn wrong(&mut self, key: &str, wanted: &str, value: &Spanned<DeValue<'_>>) {
        let given = value.get_ref().type_str();
        self.problem_at(&value.span(), format!("`{key}` has to be {wanted}, not of the kind {given}"));
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let value = self.value(key)?;
        match value.get_ref().as_str().map(str::trim) {
            Some("") => self.problem_at(&value.span(), format!("`{key}` is empty")),
            Some(text) => return Some(text.to_owned()),
            None => self.wrong(key, "a text", value),
        }
        None
    }

    pub(super) fn need_text(&mut self, key: &str) -> String {
        if self.table.get(key).is_none() {
            self.problem(format!("`{key}` is missing"));
        }
        self.text(key).unwrap_or_default()
    }

    pub(super) fn url(&mut self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        if domain::text::url(&text).is_none() {
            self.problem_with(key, format!("`{key}` has to be an http or https address"));
            return None;
        }
        Some(text.trim_end_matches('/').to_owned())
    }

    /// The text of the file that is named under `key`.
    pub(super) fn file(&mut self, key: &str) -> Option<String> {
        let name = self.text(key)?;
        let read = (self.files)(&name);
        read.map_err(|why| self.problem_with(key, format!("`{key}`: {} {why}", domain::text::line(&name, 100)))).ok()
    }

    /// One of a few words, each with what it means.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let known: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            self.problem_with(key, format!("`{key}` has to be {}", known.join(" or ")));
        }
        found
    }

    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        let value = self.value(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(key, "true or false", value);
        }
        flag
    }

    /// A list of texts, each with its place for problems.
    pub(super) fn texts(&mut self, key: &str) -> Vec<(String, Range<usize>)> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let Some(list) = value.get_ref().as_array() else {
            self.wrong(key, "a list of texts", value);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in list.iter() {
            match item.get_ref().as_str() {
                Some(text) if !text.trim().is_empty() => texts.push((text.trim().to_owned(), item.span())),
                Some(_) => self.problem_at(&item.span(), format!("`{key}` has an empty entry")),
                None => self.wrong(key, "a list of texts", item),
            }
        }
        texts
    }

    /// One text, or a list of them.
    pub(super) fn text_or_texts(&mut self, key: &str) -> Vec<(String, Range<usize>)> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        if value.get_ref().as_str().is_some() {
            return self.text(key).map(|text| (text, value.span())).into_iter().collect();
        }
        if value.get_ref().as_array().is_none() {
            self.wrong(key, "a text or a list of texts", value);
            return Vec::new();
        }
        self.texts(key)
    }

    /// A list of ids; what is not one is a problem.
    pub(super) fn ids<T: FromStr<Err = domain::InvalidId>>(&mut self, key: &str) -> Vec<(T, Range<usize>)> {
        let mut ids = Vec::new();
        for (text, span) in self.texts(key) {
            match text.parse() {
                Ok(id) => ids.push((id, span)),
                Err(error) => self.problem_at(&span, format!("`{key}` has something that is not a {error}")),
            }
        }
        ids
    }

    pub(super) fn problem_in(&mut self, span: &Range<usize>, what: impl Into<String>) {
        self.problem_at(span, what);
    }

    /// The named tables under `key`: `[people.feanil]`.
    pub(super) fn tables<T>(
        &mut self,
        key: &str,
        mut read: impl FnMut(&str, &mut Section<'a, '_>) -> T,
    ) -> BTreeMap<String, T> {
        let mut found = BTreeMap::new();
        let Some(value) = self.value(key) else { return found };
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(key, "a table", value);
            return found;
        };
        for (name, inner) in table.iter() {
            let same = |other: &str| other.eq_ignore_ascii_case(name.get_ref());
            if table.keys().any(|k| k.span().start < name.span().start && same(k.get_ref())) {
                let what =
                    format!("`{key}.{}` is there already: letter case does not tell names apart", name.get_ref());
                self.problem_at(&name.span(), what);
            }
            let label = self.label(&format!("{key}.{}", name.get_ref()));
            if let Some(read) = self.inner(&label, inner, name.span(), |section| read(name.get_ref(), section)) {
                found.insert(name.get_ref().to_string(), read);
            }
        }
        found
    }

    /// The one table under `key`, if it is there.
    pub(super) fn table<T>(&mut self, key: &str, read: impl FnOnce(&mut Section<'a, '_>) -> T) -> Option<T> {
        let value = self.value(key)?;
        let label = self.label(key);
        self.inner(&label, value, value.span(), read)
    }

    /// The list of tables under `key`: `[[services.edxapp.repositories]]` or a list of inline tables.
    pub(super) fn list<T>(&mut self, key: &str, mut read: impl FnMut(&mut Section<'a, '_>) -> T) -> Vec<T> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let Some(list) = value.get_ref().as_array() else {
            self.wrong(key, "a list of tables", value);
            return Vec::new();
        };
        let label = self.label(key);
        list.iter().filter_map(|item| self.inner(&label, item, item.span(), &mut read)).collect()
    }

    fn label(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    fn inner<T>(
        &mut self,
        label: &str,
        value: &'a Spanned<DeValue<'a>>,
        span: Range<usize>,
        read: impl FnOnce(&mut Section<'a, '_>) -> T,
    ) -> Option<T> {
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(label, "a table", value);
            return None;
        };
        let mut section = Section {
            text: self.text,
            files: self.files,
            table,
            span,
            name: label.to_owned(),
            used: BTreeSet::new(),
            problems: &mut *self.problems,
        };
        let result = read(&mut section);
        section.finish();
        Some(result)
    }

    /// Whatever was not asked for is a mistake: probably a slip of the pen.
    pub(super) fn finish(&mut self) {
        let unknown: Vec<_> = self
            .table
            .iter()
            .filter(|(key, _)| !self.used.contains(key.get_ref().as_ref()))
            .map(|(key, _)| (key.get_ref().to_string(), key.span()))
            .collect();
        for (key, span) in unknown {
            let near =
                self.used.iter().min_by_key(|known| distance(known, &key)).filter(|known| distance(known, &key) <= 3);
            let hint = near.map(|known| format!("; did you mean `{known}`?")).unwrap_or_default();
            self.problem_at(&span, format!("`{key}` is not known here{hint}"));
        }
    }
}
