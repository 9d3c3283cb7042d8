//! Each part of a score in words.

use super::*;

fn said(feature: Feature, value: f64) -> String {
    let told = Told { age: "10 min", lineage: None, file: None, word: None };
    words(&Part { feature, value, points: 0 }, told)
}

#[test]
fn each_part_says_what_it_is_at_its_bounds_too() {
    for (feature, value, want) in [
        (Feature::Age, 0.0, "live 10 min before the alert"),
        (Feature::Pace, 0.1, "what breaks this service is older than elsewhere"),
        (Feature::Pace, 0.0, "what breaks this service is newer than elsewhere"),
        (Feature::Pace, -0.1, "what breaks this service is newer than elsewhere"),
        (Feature::Newer, 0.0, "the newest"),
        (Feature::Newer, 1.0_f64.ln_1p(), "1 change after it"),
        (Feature::LaterByAuthor, 2.0_f64.ln_1p(), "2 changes by its author after it"),
        (Feature::DirectoryReverts, 2.0_f64.ln(), "its folder is reverted 2.0 times oftener than usual"),
        (Feature::DirectoryReverts, 0.0, "its folder is reverted 1.0 times oftener than usual"),
        (Feature::DirectoryReverts, -(2.0_f64.ln()), "its folder is reverted 2.0 times less often than usual"),
        (Feature::Familiarity, 0.0, "its author is new to its files"),
        (Feature::Familiarity, 0.004, "its author is new to its files"),
        (Feature::Familiarity, 0.005, "its author knows 1 % of its files"),
        (Feature::Familiarity, 0.5, "its author knows 50 % of its files"),
        (Feature::Commits, 3.0_f64.ln(), "3 commits"),
        (Feature::Lines, 1.0_f64.ln_1p(), "1 line"),
        (Feature::NamedFile, 0.0, "touches no file that the alert names"),
        (Feature::Alike, 0.0, "speaks of something else"),
    ] {
        assert_eq!(said(feature, value), want, "{value}");
    }
}
