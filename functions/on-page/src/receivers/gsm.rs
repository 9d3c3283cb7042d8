//! A text for a telephone, in GSM 03.38's own alphabet: one letter outside of it would turn the whole message into
//! UCS-2, whose parts hold 67 letters instead of 153. So what it lacks is written with what it has.
//!
//! The alphabet: 3GPP TS 23.038, section 6.2.1. Its national shift tables are left out: few networks know them.

/// What takes one septet.
const BASIC: &str = "@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿\
                     abcdefghijklmnopqrstuvwxyzäöñüà";
/// What takes two: an escape comes before it.
const EXTENSION: &str = "^{}\\[~]|€";
/// Septets of a message that is sent in one part, and of each part where there are several.
const ALONE: usize = 160;
const PART: usize = 153;
/// How many parts a text may have.
const MOST_PARTS: usize = 2;
/// Characters of the words that are looked at: so many that it is always us who cut them.
const MOST_WORDS: usize = 2000;
/// How many septets the words need beside a link; below, the link is left out.
const LEAST_WORDS: usize = 40;

/// Letters outside the alphabet, and what looks like them.
const LOOK_ALIKES: &[(&str, &str)] = &[
    ("‘’‚‛′´`ʼ", "'"),
    ("“”„‟″«»", "\""),
    ("‐‑‒–—―−•·", "-"),
    ("…", "..."),
    ("→⇒", "->"),
    ("←⇐", "<-"),
    ("≤", "<="),
    ("≥", ">="),
    ("×", "x"),
    ("áâãāăąª", "a"),
    ("ÀÁÂÃĀĂĄ", "A"),
    ("çćĉċč", "c"),
    ("ĆĈĊČ", "C"),
    ("ďđð", "d"),
    ("ĎĐÐ", "D"),
    ("êëēĕėęě", "e"),
    ("ÈÊËĒĔĖĘĚ", "E"),
    ("ĝğġģ", "g"),
    ("ĜĞĠĢ", "G"),
    ("ĥħ", "h"),
    ("ĤĦ", "H"),
    ("íîïĩīĭįı", "i"),
    ("ÌÍÎÏĨĪĬĮİ", "I"),
    ("ĵ", "j"),
    ("Ĵ", "J"),
    ("ķ", "k"),
    ("Ķ", "K"),
    ("ĺļľł", "l"),
    ("ĹĻĽŁ", "L"),
    ("ńņň", "n"),
    ("ŃŅŇ", "N"),
    ("óôõōŏőº", "o"),
    ("ÒÓÔÕŌŎŐ", "O"),
    ("œ", "oe"),
    ("Œ", "OE"),
    ("ŕŗř", "r"),
    ("ŔŖŘ", "R"),
    ("śŝşšș", "s"),
    ("ŚŜŞŠȘ", "S"),
    ("ţťŧț", "t"),
    ("ŢŤŦȚ", "T"),
    ("úûũūŭůűų", "u"),
    ("ÙÚÛŨŪŬŮŰŲ", "U"),
    ("ŵ", "w"),
    ("Ŵ", "W"),
    ("ýŷÿ", "y"),
    ("ÝŶŸ", "Y"),
    ("źżž", "z"),
    ("ŹŻŽ", "Z"),
];

/// The words, and below them the link. Both fit two parts: the words are cut, a link never is. It is left out where it
/// would leave no room for words, or has letters that the alphabet lacks.
pub(super) fn text(words: &str, link: Option<&str>) -> String {
    let words = plain(&domain::text::line(words, MOST_WORDS));
    let link = link.filter(|link| link.chars().all(|c| septets(c).is_some())).map(|link| format!("\n{link}"));
    let beside = |link: &String| fits(&format!("{}{link}", "x".repeat(LEAST_WORDS)));
    let link = link.filter(beside).unwrap_or_default();
    let whole = format!("{words}{link}");
    if fits(&whole) { whole } else { cut(&words, &link) }
}

/// As many of the words as fit before the link. A link among the words is left out rather than cut.
fn cut(words: &str, link: &str) -> String {
    let ends: Vec<usize> = words.char_indices().map(|(i, _)| i).take(MOST_PARTS * PART).collect();
    let mut kept = ends.iter().rev().map(|end| whole_links(words, *end));
    let kept = kept.find(|kept| fits(&format!("{kept}...{link}")));
    format!("{}...{link}", kept.unwrap_or_default())
}

/// The words until `end`, without a link that goes on after it.
fn whole_links(words: &str, end: usize) -> &str {
    let kept = &words[..end];
    let last = kept.rfind(' ').map_or(0, |space| space + 1);
    let goes_on = !words[end..].starts_with(' ');
    let word = words[last..].split(' ').next().unwrap_or_default();
    let kept = if goes_on && word.contains("://") { &kept[..last] } else { kept };
    kept.trim_end()
}

/// The text with nothing but the alphabet's letters.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !hangs_on(*c)) {
        match LOOK_ALIKES.iter().find(|(from, _)| from.contains(c)) {
            _ if septets(c).is_some() => out.push(c),
            Some((_, to)) => out.push_str(to),
            None => out.push('?'),
        }
    }
    out
}

/// Whether it only changes the letter before it: accents that stand alone, and how an emoji is shown.
fn hangs_on(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
}

fn septets(c: char) -> Option<usize> {
    match c {
        _ if BASIC.contains(c) => Some(1),
        _ if EXTENSION.contains(c) => Some(2),
        _ => None,
    }
}

fn fits(text: &str) -> bool {
    parts(text) <= MOST_PARTS
}

/// In how many parts it is sent. An escape and its letter are not parted.
fn parts(text: &str) -> usize {
    let sizes = || text.chars().map(|c| septets(c).unwrap_or(1));
    if sizes().sum::<usize>() <= ALONE {
        return 1;
    }
    let (mut parts, mut used) = (1, 0);
    for size in sizes() {
        if used + size > PART {
            (parts, used) = (parts + 1, 0);
        }
        used += size;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "https://deployers.example.com/acknowledge/edxapp-k3v7q2ma/anna/1773964800/00112233445566778899aabbccddeeff00112233";

    #[test]
    fn the_alphabet_has_its_127_letters_and_ten() {
        // Without the carriage return and the form feed, which no text of ours has.
        assert_eq!(BASIC.chars().count(), 127 - 1);
        assert_eq!(EXTENSION.chars().count(), 10 - 1);
        assert!(LOOK_ALIKES.iter().all(|(from, to)| {
            from.chars().all(|c| septets(c).is_none()) && to.chars().all(|c| septets(c) == Some(1))
        }));
    }

    #[test]
    fn what_the_alphabet_lacks_is_written_with_what_it_has() {
        for (words, want) in [
            ("edxapp: 7 % of requests fail", "edxapp: 7 % of requests fail"),
            ("“Quoted” – it’s…", "\"Quoted\" - it's..."),
            ("a\u{a0}b\r\nc\u{202e}d", "a b cd"),
            ("façade, Straße, Łódź, Ærø, cœur", "facade, Straße, Lodz, Ærø, coeur"),
            ("cafe\u{301} \u{2764}\u{fe0f} 🔥🔥", "cafe ? ??"),
            ("`rm -rf /` [x] {y} €", "'rm -rf /' [x] {y} €"),
            ("日本", "??"),
        ] {
            assert_eq!(text(words, None), want);
        }
    }

    #[test]
    fn a_text_has_two_parts_at_most() {
        for (words, want) in [
            ("x".repeat(160), 1),
            ("x".repeat(161), 2),
            ("x".repeat(306), 2),
            ("[".repeat(80), 1),
            ("[".repeat(81), 2),
            ("[".repeat(152), 2),
        ] {
            assert_eq!(text(&words, None), words);
            assert_eq!(parts(&words), want);
        }
        // An escape and its letter do not fit what is left of the first part.
        assert_eq!(parts(&format!("{}[{}", "x".repeat(152), "x".repeat(151))), 2);
        assert_eq!(parts(&format!("{}[{}", "x".repeat(152), "x".repeat(152))), 3);
        for words in ["x".repeat(307), "[".repeat(153), "🔥 ".repeat(500), "ab ".repeat(500)] {
            for link in [None, Some(LINK)] {
                let text = text(&words, link);
                assert!(parts(&text) <= 2 && text.contains("..."), "{text}");
                assert_eq!(text.ends_with(LINK), link.is_some(), "{text}");
            }
        }
    }

    #[test]
    fn a_link_is_whole_or_not_there() {
        let long = format!("https://deployers.example.com/{}", "x".repeat(250));
        assert_eq!(text("Broken", Some(&long)), "Broken");
        assert_eq!(text("Broken", Some("https://example.com/ä/日本")), "Broken");
        assert_eq!(text("Broken", Some("https://example.com/~a_b")), "Broken\nhttps://example.com/~a_b");
        let among = format!("{} https://example.com/{} and more", "x".repeat(250), "y".repeat(60));
        assert_eq!(text(&among, None), format!("{}...", "x".repeat(250)));
        // Accents of their own take no room, and hide nothing of where the cut is.
        let among = format!("{} https://example.com/{}", "e\u{301}".repeat(140), "y".repeat(400));
        assert_eq!(text(&among, None), format!("{}...", "e".repeat(140)));
    }
}
