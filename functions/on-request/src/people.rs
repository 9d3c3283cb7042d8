//! A person as pages show them: their name, their initials in a colour that stays theirs, and where their page is.

use aws::House;
use domain::PersonId;
use serde::Serialize;

/// So many colours there are.
const HUES: u32 = 8;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PersonView {
    id: String,
    name: String,
    initials: String,
    hue: u32,
}

impl PersonView {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

pub(crate) fn person(house: &House, id: &PersonId) -> PersonView {
    let name = house.settings().roster.name_of(id);
    let hue = id.as_str().bytes().fold(7_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte))) % HUES;
    PersonView { id: id.to_string(), name: name.to_owned(), initials: initials(name), hue }
}

/// `Anna Lindqvist` is AL, `olga` is O.
fn initials(name: &str) -> String {
    let mut words = name.split(|c: char| !c.is_alphanumeric()).filter_map(|word| word.chars().next());
    let (first, last) = (words.next(), words.next_back());
    first.into_iter().chain(last).flat_map(char::to_uppercase).take(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_of_the_first_and_the_last_name() {
        for (name, letters) in [
            ("Anna Lindqvist", "AL"),
            ("olga", "O"),
            ("Jean-Luc de la Tour", "JT"),
            ("", ""),
            ("<b>x", "BX"),
            ("ßa", "SS"),
        ] {
            assert_eq!(initials(name), letters, "{name}");
        }
    }
}
