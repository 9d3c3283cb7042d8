//! `api_secret` and `read_tokens`: the names of the secrets with which programs read. Each is handed to a program, so none may be a
//! secret that does more than read.

use std::collections::BTreeSet;
use std::ops::Range;

use super::section::Section;

pub(super) type Tokens = Vec<(String, Option<Range<usize>>)>;

pub(super) fn read(root: &mut Section<'_, '_>) -> Tokens {
    let one = root.text("api_secret").map(|name| (name, None));
    let more = root.texts("read_tokens").into_iter().map(|(name, span)| (name, Some(span)));
    one.into_iter().chain(more).collect()
}

/// `others`: the names of every other secret.
pub(super) fn check(root: &mut Section<'_, '_>, tokens: &Tokens, link_secret: &str, others: &BTreeSet<&str>) {
    let mut seen = BTreeSet::new();
    for (name, span) in tokens {
        let problem = if name == link_secret {
            format!("`{name}` signs links: whoever is handed it to read could act as anybody")
        } else if others.contains(name.as_str()) {
            format!("`{name}` is another secret too: whoever is handed it to read could do more")
        } else if !seen.insert(name) {
            format!("`{name}` is named twice")
        } else {
            continue;
        };
        match span {
            Some(span) => root.problem_in(span, problem),
            None => root.problem_with("api_secret", problem),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::{Configuration, no_files};

    #[test]
    fn what_a_program_reads_with_is_no_secret_that_does_more() {
        let rest = "[unmapped]\nrotation = [\"anna\"]\n[people.anna]\nzone = \"UTC\"\ncontacts = [\"terminal\"]\n[senders.github]\nsecret = \"hook\"\napi_token = \"forge\"\n[services.edxapp]\nowners = [\"anna\"]\nrotation = [\"anna\"]\nrepositories = [{ name = \"a/b\" }]\n[services.edxapp.environments.production]\nlive = true\n";
        let good = format!("api_secret = \"api\"\nread_tokens = [\"grafana\", \"release-bot\"]\n{rest}");
        let read = Configuration::parse(&good, &no_files).unwrap().read_tokens;
        assert_eq!(read, ["api", "grafana", "release-bot"]);
        let bad = format!("api_secret = \"hook\"\nread_tokens = [\n\"links\",\n\"forge\",\n\"x\",\n\"x\", 7]\n{rest}");
        let problems: Vec<String> =
            Configuration::parse(&bad, &no_files).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "line 1: `hook` is another secret too: whoever is handed it to read could do more",
                "line 3: `links` signs links: whoever is handed it to read could act as anybody",
                "line 4: `forge` is another secret too: whoever is handed it to read could do more",
                "line 6: `read_tokens` has to be a list of texts, not of the kind integer",
                "line 6: `x` is named twice",
            ]
        );
    }
}
