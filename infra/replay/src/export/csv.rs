//! A table of alerts: a line of names, then a line each; commas, and quotes where a text has one (RFC 4180).

use std::io::{self, BufRead as _, BufReader, Read};

use serde_json::{Map, Value};

/// So long may a line be; a text that goes on in the next line is not understood.
const LONGEST: u64 = 64 * 1024;

pub(super) fn read(reader: impl Read) -> Result<Vec<Value>, String> {
    let mut reader = BufReader::new(reader);
    let names = line(&mut reader)?.ok_or("it is empty")?;
    let names: Vec<String> = cells(&names).into_iter().map(|name| name.trim().to_ascii_lowercase()).collect();
    let mut rows = Vec::new();
    while let Some(text) = line(&mut reader)? {
        let cells = cells(&text).into_iter().filter(|_| !text.trim().is_empty());
        let row: Map<String, Value> = names
            .iter()
            .zip(cells)
            .filter(|(_, cell)| !cell.trim().is_empty())
            .map(|(name, cell)| (name.clone(), Value::from(cell.trim())))
            .collect();
        if !row.is_empty() {
            rows.push(Value::Object(row));
        }
    }
    Ok(rows)
}

fn line(reader: &mut impl io::BufRead) -> Result<Option<String>, String> {
    let mut bytes = Vec::new();
    let read = reader.take(LONGEST).read_until(b'\n', &mut bytes).map_err(|error| error.to_string())?;
    if u64::try_from(read).unwrap_or(LONGEST) == LONGEST {
        return Err(format!("a line is longer than {LONGEST} bytes"));
    }
    Ok((read > 0).then(|| String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned()))
}

fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            letter => cell.push(letter),
        }
    }
    cells.push(cell);
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_with_its_quotes() {
        let text = "\u{feff}At,service,name\r\n2026-03-20T15:00:00Z,edxapp,\"5xx, \"\"high\"\"\"\n\n,,\n2026-03-21T15:00:00Z,edxapp\n";
        let rows = read(text.as_bytes()).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0]["name"], "5xx, \"high\"");
        assert_eq!(rows[1].get("name"), None);
        assert!(read("".as_bytes()).is_err() && read("x".repeat(70_000).as_bytes()).is_err());
    }
}
