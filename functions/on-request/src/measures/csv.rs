//! What was measured as CSV (RFC 4180): a line a service and period, a column a figure. What is not known is empty. No cell begins as
//! a formula does: spreadsheets would run it (<https://owasp.org/www-community/attacks/CSV_Injection>).

use domain::measures::MEASURES;
use serde_json::Value;

use super::Measured;

pub(crate) fn of(all: &[Measured]) -> String {
    let mut text = String::new();
    let names = ["service", "period", "from", "until", "days"].into_iter();
    line(&mut text, names.chain(MEASURES.iter().map(|measure| measure.name)).map(str::to_owned));
    for Measured { service, periods } in all {
        for period in periods {
            let about = [
                service.to_string(),
                period.period.clone(),
                period.from.to_string(),
                period.until.to_string(),
                period.days.to_string(),
            ];
            let figure = |name: &str| match period.figures.get(name) {
                None | Some(Value::Null) => String::new(),
                Some(known) => known.to_string(),
            };
            line(&mut text, about.into_iter().chain(MEASURES.iter().map(|measure| figure(measure.name))));
        }
    }
    text
}

fn line(text: &mut String, cells: impl Iterator<Item = String>) {
    let cells: Vec<String> = cells.map(|text| cell(&text)).collect();
    text.push_str(&cells.join(","));
    text.push_str("\r\n");
}

/// A text that is not run, in quotes where it has to be.
fn cell(text: &str) -> String {
    let formula = text.trim_start().starts_with(['=', '+', '-', '@']) || text.starts_with(['\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_run_and_nothing_breaks_a_line() {
        let cells = ["edxapp", "", "1.5", "=1+1", "+1", "-1", "@a", "\tx", " =x", "a,b", "a\"b", "a\nb"].map(cell);
        assert_eq!(
            cells,
            ["edxapp", "", "1.5", "'=1+1", "'+1", "'-1", "'@a", "'\tx", "' =x", "\"a,b\"", "\"a\"\"b\"", "\"a\nb\""]
        );
    }
}
