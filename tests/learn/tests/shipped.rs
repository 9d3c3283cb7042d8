//! The weights that ship, the report and the histories agree. Without `../shared/histories` it says so.

use std::fs;
use std::path::Path;

use domain::rank::Table;
use learn::study::Found;
use learn::{csv, histories, report, study};

#[test]
fn the_weights_and_the_report_are_what_the_histories_give() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = here.join("../../../shared/histories");
    if !folder.exists() {
        println!("SKIPPED: there is no {}", folder.display());
        return;
    }
    let histories = histories(&folder).unwrap();
    let studied = study(&histories);
    let shipped = fs::read_to_string(here.join("../../shared/domain/src/rank/weights.csv")).unwrap();
    assert_eq!(csv(&studied.table, studied.among), shipped, "run `cargo run --release -p learn`");
    assert_eq!(report::page(&studied), fs::read_to_string(here.join("REPORT.md")).unwrap());
    // Ahead of the two rules wherever we claim it, and as good as its word.
    for (name, found) in &studied.views {
        let (ours, rules) = (found.measures(0), found.measures(1));
        let ahead = ours.hit_at_1 >= rules.hit_at_1 && ours.hit_at_3 >= rules.hit_at_3 - 0.002;
        assert!(ahead, "{name}: {ours:?} {rules:?}");
        let error = Found::calibration_error(&found.said);
        // Where the alert is laid half-way, it is right more often than it says.
        assert!(error < 0.05 || name.contains("midpoint"), "{name}: {error}");
    }
    let main = &studied.views[0].1;
    let (_, low, _) = main.interval(|outcomes| outcomes[0].hits[0] - outcomes[2].hits[0]);
    assert!(low > 0.0, "the lead over the most recent is not significant");
    assert!(Found::sure(&main.said, 0.7).1 >= 0.8);
    let shown = &studied.views[1].1.shown;
    assert!(Found::calibration_error(shown) < 0.05 && Found::sure(shown, 0.7).1 >= 0.78);
    assert!(Table::parse(&shipped).is_ok());
}
