//! `measures`: what was measured, asked of the running bundle and printed: as a table, as CSV, as JSON.

use domain::measures::{Amount, MEASURES, Unit};
use serde_json::Value;

use crate::hands::{Hands, HandsError};

/// How it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Table,
    Csv,
    Json,
}

/// What is asked for on the command line.
#[derive(Debug, clap::Args)]
pub struct Wanted {
    #[arg(long)]
    service: Option<String>,
    /// The first month, such as 2026-06; without this, half a year ago.
    #[arg(long)]
    from: Option<String>,
    /// The last month; without this, the present one.
    #[arg(long)]
    until: Option<String>,
    /// From this day on it is after.
    #[arg(long)]
    cut: Option<String>,
    /// For spreadsheets.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// For machines.
    #[arg(long)]
    json: bool,
}

impl Wanted {
    #[must_use]
    pub fn question(&self) -> Question<'_> {
        let form = match (self.csv, self.json) {
            (true, _) => Form::Csv,
            (_, true) => Form::Json,
            (false, false) => Form::Table,
        };
        Question {
            service: self.service.as_deref(),
            from: self.from.as_deref(),
            until: self.until.as_deref(),
            cut: self.cut.as_deref(),
            form,
        }
    }
}

/// What is asked for.
pub struct Question<'a> {
    pub service: Option<&'a str>,
    pub from: Option<&'a str>,
    pub until: Option<&'a str>,
    pub cut: Option<&'a str>,
    pub form: Form,
}

/// Asks, and says it.
pub async fn ask(hands: &Hands<'_>, question: &Question<'_>) -> Result<String, HandsError> {
    let given =
        [("service", question.service), ("from", question.from), ("until", question.until), ("cut", question.cut)];
    let pairs = given.iter().filter_map(|(name, given)| Some((*name, (*given)?))).chain([("limit", "200")]);
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let what = if question.form == Form::Csv { "csv" } else { "json" };
    let body = hands.read(&format!("/measures.{what}?{query}")).await?;
    let text = String::from_utf8_lossy(&body);
    Ok(match question.form {
        Form::Csv | Form::Json => text.trim_end().to_owned(),
        Form::Table => table(&serde_json::from_str(&text).unwrap_or_default()),
    })
}

/// A table a service: a line a figure, a column a period. What nobody knows of any period is left out.
fn table(said: &Value) -> String {
    let list = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
    let mut lines = Vec::new();
    for service in list(said, "services") {
        let periods = list(&service, "periods");
        let heads: String = periods.iter().map(|period| format!("{:>14}", text(period, "period"))).collect();
        lines.push(format!("{:<42}{heads}", text(&service, "service")));
        for measure in MEASURES {
            let known: Vec<Option<f64>> = periods
                .iter()
                .map(|period| period.get("figures").and_then(|all| all.get(measure.name)).and_then(Value::as_f64))
                .collect();
            if known.iter().all(|known| known.is_none_or(|known| known == 0.0)) {
                continue;
            }
            let cells: String = known.iter().map(|known| format!("{:>14}", cell(measure.unit, *known))).collect();
            lines.push(format!("  {:<40}{cells}", measure.name));
        }
        if lines.last().is_some_and(|line| !line.starts_with(' ')) {
            lines.push("  nothing was counted".to_owned());
        }
    }
    if said.get("next").is_some_and(|next| !next.is_null()) {
        lines.push("And more services: name one with --service.".to_owned());
    }
    lines.join("\n")
}

fn cell(unit: Unit, known: Option<f64>) -> String {
    let Some(known) = known else { return "-".to_owned() };
    match unit {
        Unit::Share => format!("{:.0} %", known * 100.0),
        Unit::Count | Unit::Seconds | Unit::Mean => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a figure is small, and not negative"
            )]
            let tenths = (known * 10.0).round() as u64;
            unit.words(Amount { n: tenths, of: 10 })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_printed_as_a_table() {
        let figures =
            json!({ "deployments": 4, "change_fail_rate": 0.5, "time_to_resolve_median": 2130, "incidents": null });
        let period = json!({ "period": "2026-03", "figures": figures });
        let said = json!({ "services": [{ "service": "edxapp", "periods": [period] }, { "service": "shop", "periods": [] }], "next": null });
        let table = table(&said);
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["edxapp", "2026-03"]);
        assert_eq!(lines[1], ["time_to_resolve_median", "35", "min", "30", "s"]);
        assert_eq!(lines[2], ["deployments", "4"]);
        assert_eq!(lines[3], ["change_fail_rate", "50", "%"]);
        assert_eq!(lines[5], ["nothing", "was", "counted"]);
    }
}
