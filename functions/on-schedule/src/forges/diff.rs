//! How many lines a unified diff adds and takes away, of each file. A hunk says how long it is, so nothing that a file
//! holds can look like the beginning of another one.

use std::collections::BTreeMap;

use domain::change::Lines;

/// The lines of one file's diff.
pub fn count(diff: &str) -> Lines {
    read(diff).into_iter().fold(Lines::default(), |sum, (_, lines)| Lines {
        added: sum.added.saturating_add(lines.added),
        deleted: sum.deleted.saturating_add(lines.deleted),
    })
}

/// The lines of each file of a whole diff, by its new path, or its old one where it was deleted.
pub fn by_path(diff: &str) -> BTreeMap<String, Lines> {
    read(diff).into_iter().map(|(path, lines)| (path.to_owned(), lines)).collect()
}

fn read(diff: &str) -> Vec<(&str, Lines)> {
    let mut files: Vec<(&str, Lines)> = Vec::new();
    let (mut path, mut old, mut new) = ("", 0_u64, 0_u64);
    for line in diff.split('\n') {
        if old > 0 || new > 0 {
            if files.last().is_none_or(|(last, _)| *last != path) {
                files.push((path, Lines::default()));
            }
            let Some((_, lines)) = files.last_mut() else { continue };
            match line.as_bytes().first() {
                Some(b'+') => (new, lines.added) = (new.saturating_sub(1), lines.added + 1),
                Some(b'-') => (old, lines.deleted) = (old.saturating_sub(1), lines.deleted + 1),
                Some(b'\\') => {}
                _ => (old, new) = (old.saturating_sub(1), new.saturating_sub(1)),
            }
        } else if let Some(from) = line.strip_prefix("--- ") {
            path = name(from, "a/").unwrap_or("");
        } else if let Some(to) = line.strip_prefix("+++ ") {
            path = name(to, "b/").unwrap_or(path);
        } else if let Some(hunk) = line.strip_prefix("@@ -") {
            (old, new) = lengths(hunk).unwrap_or((0, 0));
        }
    }
    files
}

/// `None`: there is no file on that side.
fn name<'a>(side: &'a str, prefix: &str) -> Option<&'a str> {
    let side = side.trim_end_matches(['\r', '\t']);
    (side != "/dev/null").then(|| side.strip_prefix(prefix).unwrap_or(side))
}

/// `1,3 +1,4 @@` is three old lines and four new ones; a length of one is left out.
fn lengths(hunk: &str) -> Option<(u64, u64)> {
    let (old, rest) = hunk.split_once(" +")?;
    let (new, _) = rest.split_once(" @@")?;
    let length = |range: &str| {
        let (start, length) = range.split_once(',').unwrap_or((range, "1"));
        start.parse::<u64>().and(length.parse()).ok()
    };
    Some((length(old)?, length(new)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(added: u64, deleted: u64) -> Lines {
        Lines { added, deleted }
    }

    #[test]
    fn lines_are_counted_by_what_hunks_say_of_their_length() {
        for (diff, want) in [
            ("@@ -1,3 +1,4 @@ fn main\n a\n-b\n+c\n+d\n e\n", lines(2, 1)),
            ("@@ -0,0 +1 @@\n+only\n\\ No newline at end of file\n", lines(1, 0)),
            ("--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n--- a sql comment\n a\n@@ -9 +8 @@\n-x\n++++ b/y\n", lines(1, 2)),
            ("", lines(0, 0)),
            ("@@ -x +y @@\n+no hunk\n", lines(0, 0)),
            ("@@ -1,99999999999999999999 +1 @@\n+no hunk\n", lines(0, 0)),
            ("Binary files a/x and b/x differ\n", lines(0, 0)),
        ] {
            assert_eq!(count(diff), want, "{diff}");
        }
    }

    #[test]
    fn each_file_has_its_own() {
        let diff = "diff --git a/lms/a.py b/lms/a.py\nindex 1..2 100644\n--- a/lms/a.py\n+++ b/lms/a.py\n\
            @@ -1,2 +1,2 @@\n-+++ b/fake\n++++ b/fake\n x\n\
            diff --git a/gone b/gone\ndeleted file mode 100644\n--- a/gone\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n\
            diff --git a/new b/new\n--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+a\n";
        let want = [("gone", lines(0, 2)), ("lms/a.py", lines(1, 1)), ("new", lines(1, 0))];
        assert_eq!(by_path(diff), want.map(|(path, lines)| (path.to_owned(), lines)).into());
    }
}
