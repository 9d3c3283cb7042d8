//! Pages: templates compiled in, everything escaped by their engine.

use std::sync::OnceLock;

use aws::{Request, Response};
use minijinja::{Environment, Value, context};
use serde::Serialize;

fn engine() -> &'static Environment<'static> {
    static ENGINE: OnceLock<Environment<'static>> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut engine = Environment::new();
        for (name, text) in [
            ("layout.html", include_str!("../templates/layout.html")),
            ("board.html", include_str!("../templates/board.html")),
            ("incident.html", include_str!("../templates/incident.html")),
            ("person.html", include_str!("../templates/person.html")),
            ("act.html", include_str!("../templates/act.html")),
            ("notice.html", include_str!("../templates/notice.html")),
        ] {
            if let Err(error) = engine.add_template(name, text) {
                tracing::error!(name, %error, "a template cannot be read");
            }
        }
        engine
    })
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
        Ok(html) => Response::html(status, html),
        Err(error) => {
            tracing::error!(template, %error, "a page cannot be rendered");
            Response::html(500, "<!doctype html><title>Error</title><p>This page cannot be shown.".to_owned())
        }
    }
}

/// Whether what asks is a program, which is answered in JSON.
pub(crate) fn is_for_program(request: &Request) -> bool {
    request.header("accept").is_ok_and(|accept| accept.contains("application/json"))
}

/// A page with one thing to say.
pub(crate) fn notice(status: u16, title: &str, text: &str) -> Response {
    render(status, "notice.html", context! { title, text })
}
