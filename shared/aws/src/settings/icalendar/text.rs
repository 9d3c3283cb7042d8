//! What `calcard` lets pass in silence, found in the text beforehand: a file that is cut off, numbers in rules that
//! it takes modulo 256 or 65,536, parts of rules that it skips because it does not know them.

/// What is wrong with a file before it is parsed.
pub(super) fn check(text: &str) -> Vec<String> {
    let unfolded = text.replace('\r', "").replace("\n ", "").replace("\n\t", "");
    let mut problems: Vec<String> = rules(&unfolded)
        .flat_map(|rule| rule.split(';').filter(|part| !part.trim().is_empty()))
        .filter_map(|part| {
            let wrong = part_problem(part)?;
            Some(format!("has an RRULE with `{}`, {wrong}", domain::text::line(part, 40)))
        })
        .collect();
    if !is_balanced(&unfolded) {
        problems.push("is cut off or garbled: a BEGIN has no END, or the other way round".to_owned());
    }
    problems
}

fn rules(unfolded: &str) -> impl Iterator<Item = &str> {
    let named = unfolded.lines().filter(|line| line.get(..5).is_some_and(|name| name.eq_ignore_ascii_case("RRULE")));
    named.filter_map(|line| Some(line.split_once(':')?.1))
}

/// Whether every BEGIN has its END.
fn is_balanced(unfolded: &str) -> bool {
    let mut open = Vec::new();
    let marks = unfolded.trim_start_matches('\u{feff}').lines().filter_map(|line| line.split_once(':'));
    for (mark, name) in marks {
        let name = name.trim().to_ascii_uppercase();
        if mark.eq_ignore_ascii_case("BEGIN") {
            open.push(name);
        } else if mark.eq_ignore_ascii_case("END") && open.pop() != Some(name) {
            return false;
        }
    }
    open.is_empty()
}

fn part_problem(part: &str) -> Option<&'static str> {
    let (name, value) = part.split_once('=').unwrap_or((part, ""));
    let most = match name.trim().to_ascii_uppercase().as_str() {
        "FREQ" | "UNTIL" | "WKST" => return None,
        "COUNT" | "INTERVAL" => 9_999,
        "BYYEARDAY" | "BYSETPOS" => 366,
        "BYSECOND" | "BYMINUTE" | "BYHOUR" | "BYDAY" | "BYMONTHDAY" | "BYWEEKNO" | "BYMONTH" => 60,
        "RSCALE" if value.trim().eq_ignore_ascii_case("GREGORIAN") => return None,
        "RSCALE" | "SKIP" => return Some("a calendar other than the Gregorian is not supported"),
        _ => return Some("which iCalendar does not know"),
    };
    let numbers = value.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let too_large = numbers.map(str::parse::<u32>).any(|number| !number.is_ok_and(|n| n <= most));
    too_large.then_some("a number that is too large")
}
