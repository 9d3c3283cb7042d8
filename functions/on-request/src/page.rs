//! Pages: templates compiled in, everything escaped by their engine. The style and the script are written into each page, so that it
//! is one request, and the browser runs nothing else.

use std::sync::OnceLock;

use aws::{House, Request, Response, policy};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Value, context};
use serde::Serialize;

use crate::hours::Hours;
use crate::sign_in::Reader;

const STYLE: &str = include_str!("../templates/board.css");
const SCRIPT: &str = include_str!("../templates/board.js");
const ICON: &str = include_str!("../templates/icon.svg");

fn engine() -> &'static Environment<'static> {
    static ENGINE: OnceLock<Environment<'static>> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut engine = Environment::new();
        match SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
            Ok(syntax) => engine.set_syntax(syntax),
            Err(error) => tracing::error!(%error, "pages have more white space than they need"),
        }
        for (name, text) in [
            ("layout.html", include_str!("../templates/layout.html")),
            ("parts.html", include_str!("../templates/parts.html")),
            ("board.html", include_str!("../templates/board.html")),
            ("calendar.html", include_str!("../templates/calendar.html")),
            ("service.html", include_str!("../templates/service.html")),
            ("measures.html", include_str!("../templates/measures.html")),
            ("history.html", include_str!("../templates/history.html")),
            ("incident.html", include_str!("../templates/incident.html")),
            ("person.html", include_str!("../templates/person.html")),
            ("act.html", include_str!("../templates/act.html")),
            ("notice.html", include_str!("../templates/notice.html")),
        ] {
            if let Err(error) = engine.add_template(name, text) {
                tracing::error!(name, %error, "a template cannot be read");
            }
        }
        // Addresses are looked at where they enter. Whoever wrote one into the table otherwise makes no link of it either.
        engine.add_test("web", |address: Value| address.as_str().and_then(domain::text::url).is_some());
        engine.add_global("style", Value::from_safe_string(STYLE.to_owned()));
        engine.add_global("script", Value::from_safe_string(SCRIPT.to_owned()));
        engine
    })
}

fn page_policy() -> &'static str {
    static POLICY: OnceLock<String> = OnceLock::new();
    POLICY.get_or_init(|| policy::of_page(STYLE, SCRIPT))
}

/// A view as the template engine sees it.
pub(crate) fn value<T: Serialize>(view: &T) -> Value {
    let value = serde_json::to_value(view).and_then(serde_json::from_value);
    value.unwrap_or_else(|error| {
        tracing::error!(%error, "a view cannot be shown");
        Value::UNDEFINED
    })
}

/// Renders a template; names ending in `.html` are escaped by the engine.
pub(crate) fn render(status: u16, template: &str, values: Value) -> Response {
    match engine().get_template(template).and_then(|t| t.render(values)) {
        Ok(html) => Response::html(status, html, page_policy()),
        Err(error) => {
            tracing::error!(template, error = format!("{error:#}"), "a page cannot be rendered");
            let sorry = "<!doctype html><title>Error</title><p>This page cannot be shown.";
            Response::html(500, sorry.to_owned(), page_policy())
        }
    }
}

/// A page of the board: with who reads it, and in which zone its times are.
pub(crate) fn whole(
    house: &House,
    reader: &Reader,
    hours: &Hours,
    status: u16,
    template: &str,
    values: Value,
) -> Response {
    let guest = !matches!(reader, Reader::Person(_));
    let all = context! {
        reader => reader.shown(house), zone => hours.zone(), guest, now => value(&hours.moment(hours.now)),
        today => hours.day(hours.now), ..values
    };
    render(status, template, all)
}

/// Whether what asks is a program, which is answered in JSON.
pub(crate) fn is_for_program(request: &Request) -> bool {
    request.header("accept").is_ok_and(|accept| accept.contains("application/json"))
}

/// A page with one thing to say.
pub(crate) fn notice(status: u16, title: &str, text: &str) -> Response {
    render(status, "notice.html", context! { title, text })
}

/// The mark of our pages, which browsers ask for.
pub(crate) fn icon() -> Response {
    let headers = [
        ("content-type", "image/svg+xml"),
        ("cache-control", "public, max-age=86400"),
        ("x-content-type-options", "nosniff"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Response { status: 200, headers, body: ICON.to_owned() }
}
