//! `cargo run --release -p learn`: fits the weights, writes them and the report. With `-- --speed` it only says how long a ranking takes.

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> Result<(), Box<dyn Error>> {
    if env::args().nth(1).as_deref() == Some("--speed") {
        writeln!(io::stdout(), "{}", learn::speed::told())?;
        return Ok(());
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = env::args_os().nth(1).map_or_else(|| here.join("../../../shared/histories"), PathBuf::from);
    let histories = learn::histories(&folder)?;
    let studied = learn::study(&histories);
    fs::write(here.join("../../shared/domain/src/rank/weights.csv"), learn::csv(&studied.table, studied.among))?;
    learn::plot::all(&studied, &here.join("plots"))?;
    fs::write(here.join("REPORT.md"), learn::report::page(&studied))?;
    Ok(())
}
