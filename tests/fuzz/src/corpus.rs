//! The first corpus: `seeds/<target>/<sender>.<what>.json`, small bodies of our own, each behind the byte of its
//! sender; and, where it is there, every file of `../shared/payloads` behind the byte of every sender. Senders may be
//! put into another order, or new ones among them: the bytes are made anew each time.

use std::fs;
use std::path::{Path, PathBuf};

use aws::Reading;
use serde::Serialize;

use crate::Target;

/// Where this crate's sources are.
fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files in a folder, and in folders of it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let mut found: Vec<PathBuf> =
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    found.sort();
    found
}

/// The seeds of one sender.
pub fn seeds(target: &str, sender: &str) -> Vec<(String, Vec<u8>)> {
    let of_sender = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (name.split('.').next() == Some(sender)).then_some(name)
    };
    let found = files(&here().join("seeds").join(target)).into_iter();
    let named = found.filter_map(|path| Some((of_sender(&path)?, path)));
    named.map(|(name, path)| (name, fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))).collect()
}

/// Writes the first corpus of a target.
pub fn write<E: Serialize>(target: &Target<E>, folder: &Path) {
    let payloads: Vec<Vec<u8>> = files(&here().join("../../../shared/payloads"))
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .filter_map(|path| fs::read(path).ok())
        .collect();
    fs::create_dir_all(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut written = 0;
    for (index, sender) in target.senders.iter().enumerate() {
        let own = seeds(target.name, sender.name);
        assert!(!own.is_empty(), "tests/fuzz/seeds/{}/ has no seed {}.<what>.json", target.name, sender.name);
        for (name, body) in &own {
            let event = matches!((sender.parse)(body), Ok(Reading::Event(_)));
            if !event {
                eprintln!("{}: the seed {name} is not read into an event", target.name);
            }
        }
        for body in own.iter().map(|(_, body)| body).chain(&payloads) {
            let first = u8::try_from(index).unwrap_or(u8::MAX);
            let path = folder.join(format!("first-{written:05}"));
            fs::write(&path, [&[first], body.as_slice()].concat())
                .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            written += 1;
        }
    }
}
