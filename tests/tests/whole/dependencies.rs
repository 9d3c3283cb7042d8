//! What we are built from: by `deny.toml`, without unsafe code of ours, with little that is not Rust; and its bill of materials.
//! cargo-deny checks licences and duplicates where `tests/run` has got it; what is banned and where all comes from is looked at here.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use house_tests::root;
use serde_json::Value;

use crate::architecture::metadata;

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or("")
}

fn denied() -> toml::Table {
    std::fs::read_to_string(root().join("deny.toml")).unwrap().parse().unwrap()
}

#[test]
fn what_is_in_the_tree_is_what_deny_toml_says() {
    let (metadata, denied) = (metadata(), denied());
    let packages = metadata["packages"].as_array().unwrap();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages {
        versions.entry(text(package, "name")).or_default().insert(text(package, "version"));
        let known = package["source"].is_null()
            || text(package, "source") == "registry+https://github.com/rust-lang/crates.io-index";
        assert!(known, "{} is from {}", text(package, "name"), text(package, "source"));
    }
    let list = |name: &str| denied["bans"][name].as_array().unwrap().clone();
    for banned in list("deny") {
        let name = banned["name"].as_str().unwrap();
        assert!(!versions.contains_key(name), "{name} is in the tree: {:?}", banned["reason"]);
    }
    for skipped in list("skip") {
        let (name, version) = skipped["crate"].as_str().unwrap().split_once('@').unwrap();
        let twice = versions.get(name).is_some_and(|known| known.contains(version) && known.len() > 1);
        assert!(twice, "deny.toml skips {name} {version}, which is not there twice any more");
        assert!(!skipped["reason"].as_str().unwrap().is_empty());
    }
    let Some(program) = std::env::var_os("RECENT_DEPLOYERS_DENY") else {
        println!("not present: cargo-deny; licences and duplicates were not checked (tests/run gets it)");
        return;
    };
    let checks = ["--offline", "--locked", "check", "licenses", "bans", "sources"];
    let output = Command::new(program).args(checks).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_crate_of_ours_forbids_unsafe_code() {
    let metadata = metadata();
    let whole = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(whole.contains("[workspace.lints.rust]\nunsafe_code = \"forbid\""));
    let ours = metadata["packages"].as_array().unwrap().iter().filter(|package| package["source"].is_null());
    for package in ours {
        let manifest = std::fs::read_to_string(text(package, "manifest_path")).unwrap();
        let forbids = ["[lints]\nworkspace = true", "[lints.rust]\nunsafe_code = \"forbid\""];
        assert!(forbids.iter().any(|lints| manifest.contains(lints)), "{} allows it", text(package, "name"));
    }
}

#[test]
fn the_only_code_that_is_not_rust_is_sqlite_and_ring() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let linked = packages.iter().filter(|package| !package["links"].is_null()).map(|package| text(package, "name"));
    assert_eq!(linked.collect::<BTreeSet<_>>(), BTreeSet::from(["libsqlite3-sys", "ring"]));
    // Whoever compiles C while it is built.
    let names: BTreeMap<&str, &str> = packages.iter().map(|p| (text(p, "id"), text(p, "name"))).collect();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap().iter();
    let compiles = nodes.filter(|node| {
        let needs = node["deps"].as_array().unwrap().iter().map(|dep| names[text(dep, "pkg")]);
        needs.into_iter().any(|name| ["bindgen", "cc", "cmake"].contains(&name))
    });
    let compiles: BTreeSet<&str> = compiles.map(|node| names[text(node, "id")]).collect();
    assert_eq!(compiles, BTreeSet::from(["libsqlite3-sys", "ring"]));
}

#[test]
fn the_bill_of_materials_names_each_thing_that_is_shipped_once() {
    let wrote =
        || Command::new("python3").arg("tests/bom").env("CARGO", env!("CARGO")).current_dir(root()).output().unwrap();
    let output = wrote();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout, wrote().stdout, "the same tree, the same bytes");
    let bom: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (text(&bom, "bomFormat"), text(&bom, "specVersion"), bom["version"].as_u64()),
        ("CycloneDX", "1.6", Some(1))
    );
    let number = text(&bom, "serialNumber").strip_prefix("urn:uuid:").unwrap();
    assert_eq!(number.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    let components = bom["components"].as_array().unwrap();
    let main = &bom["metadata"]["component"];
    assert_eq!((text(main, "type"), text(main, "name")), ("application", "recent-deployers"));
    let mut refs = BTreeSet::from([text(main, "bom-ref")]);
    for component in components {
        let name = text(component, "name");
        assert_eq!(text(component, "purl"), format!("pkg:cargo/{name}@{}", text(component, "version")));
        assert!(refs.insert(text(component, "bom-ref")), "{name} is there twice");
        let licence = text(&component["licenses"][0], "expression");
        assert!(!licence.is_empty() && !licence.contains('/'), "{name}: {licence}");
        let ours = component.get("externalReferences").is_none() && component.get("hashes").is_none();
        let digest = text(&component["hashes"][0], "content");
        assert!(ours || (text(&component["hashes"][0], "alg") == "SHA-256" && digest.len() == 64), "{component}");
    }
    // Each is needed by something, and needs nothing that is not there.
    let graph = bom["dependencies"].as_array().unwrap();
    let mut needed = BTreeSet::from([text(main, "bom-ref")]);
    for node in graph {
        assert!(refs.contains(text(node, "ref")), "{node}");
        needed.extend(node["dependsOn"].as_array().unwrap().iter().map(|on| on.as_str().unwrap()));
    }
    assert_eq!(needed, refs);
    assert_eq!(graph.len(), refs.len());
    for (name, there) in [
        ("on-page", true),
        ("ring", true),
        ("dynoxide-rs", true),
        ("webdriver", false),
        ("proptest", false),
        ("house-tests", false),
    ] {
        assert_eq!(components.iter().any(|c| text(c, "name") == name), there, "{name}");
    }
}
