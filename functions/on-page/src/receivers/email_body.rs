//! What stands in an e-mail: as plain text, and as HTML. What a person can do comes first.
//!
//! The HTML says nothing of colours but for its button, which has its own letters and ground: so it can be read by day
//! and by night. It fetches nothing.

use domain::Message;
use domain::message::Link;
use domain::text;

/// Characters of one line.
const MOST_LINE: usize = 500;

/// The actions, then the message, each on a line of its own.
pub(super) fn plain(message: &Message, actions: &[Link]) -> String {
    let link = |(label, url): (String, String)| format!("{label}: {url}");
    let mut lines: Vec<String> = actions.iter().filter_map(web).map(link).collect();
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.push(text::line(&message.title, MOST_LINE));
    lines.extend(message.lines.iter().map(|line| clean(line)));
    lines.extend(message.links.iter().filter_map(web).map(link));
    lines.join("\n") + "\n"
}

/// The same as a small page.
pub(super) fn html(message: &Message, actions: &[Link]) -> String {
    let title = escape(&text::line(&message.title, MOST_LINE));
    let buttons: String = actions.iter().filter_map(web).map(|link| paragraph(&anchor(&link, BUTTON))).collect();
    let lines: Vec<String> = message.lines.iter().map(|line| escape(&clean(line)).replace("  ", "&nbsp; ")).collect();
    let links: Vec<String> = message.links.iter().filter_map(web).map(|link| anchor(&link, "")).collect();
    let lines = paragraph(&lines.join("<br>\n"));
    let links = paragraph(&links.join(" &middot;\n"));
    format!(
        "{HEAD}<title>{title}</title>\n</head>\n{BODY}\n<p><strong>{title}</strong></p>\n{buttons}{lines}{links}</body>\n</html>\n"
    )
}

const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
    <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
    <meta name=\"supported-color-schemes\" content=\"light dark\">\n";
const BODY: &str = "<body style=\"font:16px/1.5 sans-serif; max-width:44em\">";
const BUTTON: &str = " style=\"display:inline-block; padding:10px 20px; border-radius:6px; background:#0b57d0; \
    color:#ffffff; font-weight:bold; text-decoration:none\"";

fn paragraph(html: &str) -> String {
    if html.is_empty() { String::new() } else { format!("<p>{html}</p>\n") }
}

/// A link's label and address, both escaped. `style` is an attribute of ours.
fn anchor((label, url): &(String, String), style: &str) -> String {
    format!("<a href=\"{}\"{style}>{}</a>", escape(url), escape(label))
}

/// A link that leads to the web; others are left out.
fn web(link: &Link) -> Option<(String, String)> {
    text::url(&link.url).map(|url| (text::line(&link.label, 60), url))
}

/// One line; that it is an item of a list is kept.
fn clean(line: &str) -> String {
    let indent = if line.starts_with("  ") { "  " } else { "" };
    format!("{indent}{}", text::line(line, MOST_LINE))
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::super::example;
    use super::*;

    fn check((message, actions): (Message, Vec<Link>), as_plain: Expect, as_html: Expect) {
        as_plain.assert_eq(&plain(&message, &actions));
        as_html.assert_eq(&html(&message, &actions));
    }

    #[test]
    fn a_page_says_first_what_can_be_done() {
        check(
            example::page(),
            expect![[r#"
            Acknowledge: https://deployers.example.com/acknowledge/edxapp-k3v7q2ma/feanil/1774095600/00112233445566778899aabbccddeeff00112233

            [critical] edxapp production: HighErrorRate
            7 % of requests fail, since 14:20.
            Why you: you merged edx-platform#12, live 6 min before.
            What changed:
              1. edx-platform#12 Faster & "better" grades (you; live 6 min before)
            Revert: press Revert on https://github.com/openedx/edx-platform/pull/12
            Board: https://deployers.example.com/incidents/edxapp-k3v7q2ma
            Alert: https://alerts.example.com/graph?g0.expr=up&g0.tab=1
        "#]],
            expect![[r#"
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <meta name="color-scheme" content="light dark">
            <meta name="supported-color-schemes" content="light dark">
            <title>[critical] edxapp production: HighErrorRate</title>
            </head>
            <body style="font:16px/1.5 sans-serif; max-width:44em">
            <p><strong>[critical] edxapp production: HighErrorRate</strong></p>
            <p><a href="https://deployers.example.com/acknowledge/edxapp-k3v7q2ma/feanil/1774095600/00112233445566778899aabbccddeeff00112233" style="display:inline-block; padding:10px 20px; border-radius:6px; background:#0b57d0; color:#ffffff; font-weight:bold; text-decoration:none">Acknowledge</a></p>
            <p>7 % of requests fail, since 14:20.<br>
            Why you: you merged edx-platform#12, live 6 min before.<br>
            What changed:<br>
            &nbsp; 1. edx-platform#12 Faster &amp; &quot;better&quot; grades (you; live 6 min before)<br>
            Revert: press Revert on https://github.com/openedx/edx-platform/pull/12</p>
            <p><a href="https://deployers.example.com/incidents/edxapp-k3v7q2ma">Board</a> &middot;
            <a href="https://alerts.example.com/graph?g0.expr=up&amp;g0.tab=1">Alert</a></p>
            </body>
            </html>
        "#]],
        );
    }

    #[test]
    fn a_hostile_page_is_nothing_but_text() {
        check(
            example::hostile(),
            expect![[r#"
            Acknowledge: https://deployers.example.com/acknowledge/edxapp-k3v7q2ma/feanil/1774095600/00112233445566778899aabbccddeeff00112233

            <script>alert(1)</script> Bcc: evil@example.com gnp.exe 🔥🔥 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
            </p><img src="https://evil.example.com/pixel" onerror='alert(1)'>
            one . MAIL FROM:<evil@example.com>
            <b>Board</b>: https://deployers.example.com/?a=1&b='2'
        "#]],
            expect![[r#"
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <meta name="color-scheme" content="light dark">
            <meta name="supported-color-schemes" content="light dark">
            <title>&lt;script&gt;alert(1)&lt;/script&gt; Bcc: evil@example.com gnp.exe 🔥🔥 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…</title>
            </head>
            <body style="font:16px/1.5 sans-serif; max-width:44em">
            <p><strong>&lt;script&gt;alert(1)&lt;/script&gt; Bcc: evil@example.com gnp.exe 🔥🔥 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…</strong></p>
            <p><a href="https://deployers.example.com/acknowledge/edxapp-k3v7q2ma/feanil/1774095600/00112233445566778899aabbccddeeff00112233" style="display:inline-block; padding:10px 20px; border-radius:6px; background:#0b57d0; color:#ffffff; font-weight:bold; text-decoration:none">Acknowledge</a></p>
            <p>&lt;/p&gt;&lt;img src=&quot;https://evil.example.com/pixel&quot; onerror=&#39;alert(1)&#39;&gt;<br>
            one . MAIL FROM:&lt;evil@example.com&gt;</p>
            <p><a href="https://deployers.example.com/?a=1&amp;b=&#39;2&#39;">&lt;b&gt;Board&lt;/b&gt;</a></p>
            </body>
            </html>
        "#]],
        );
    }

    #[test]
    fn a_notice_is_short() {
        check(
            example::notice(),
            expect![[r#"
            Resolved: [critical] edxapp production: HighErrorRate
            14:20 to 14:52, 32 min. Anna acknowledged after 3 min.
            Board: https://deployers.example.com/incidents/edxapp-k3v7q2ma
        "#]],
            expect![[r#"
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <meta name="color-scheme" content="light dark">
            <meta name="supported-color-schemes" content="light dark">
            <title>Resolved: [critical] edxapp production: HighErrorRate</title>
            </head>
            <body style="font:16px/1.5 sans-serif; max-width:44em">
            <p><strong>Resolved: [critical] edxapp production: HighErrorRate</strong></p>
            <p>14:20 to 14:52, 32 min. Anna acknowledged after 3 min.</p>
            <p><a href="https://deployers.example.com/incidents/edxapp-k3v7q2ma">Board</a></p>
            </body>
            </html>
        "#]],
        );
    }

    #[test]
    fn nothing_is_fetched() {
        for (message, actions) in [example::page(), example::hostile(), example::notice()] {
            let html = html(&message, &actions);
            for part in ["src=", "<img", "<link", "<script", "url(", "@import"] {
                assert!(!html.replace("&lt;img src=", "").contains(part), "{part}: {html}");
            }
        }
    }
}
