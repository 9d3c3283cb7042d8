//! The description that is served (`functions/on-request/src/api/openapi.json`) against the answers of a day: every field of either is in the
//! other, and the examples are these answers. `UPDATE_EXPECT=1 cargo test -p house-tests --test whole api` writes them.

use std::collections::BTreeSet;

use expect_test::expect_file;
use serde_json::Value;

use super::{ask, day, said};

fn description() -> Value {
    serde_json::from_str(include_str!("../../../../functions/on-request/src/api/openapi.json")).unwrap()
}

/// What a `$ref` stands for; what is said beside it stays with it.
fn resolved<'a>(whole: &'a Value, part: &'a Value) -> &'a Value {
    let Some(to) = part["$ref"].as_str() else { return part };
    whole.pointer(to.trim_start_matches('#')).unwrap_or_else(|| panic!("{to} is not there"))
}

/// Whether a value is as a schema says, field by field; each schema's field that is not null is noted.
fn fits(whole: &Value, schema: &Value, value: &Value, place: &str, seen: &mut BTreeSet<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        return fits(whole, resolved(whole, schema), value, name, seen);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let [some, null] = choices.as_slice() else { panic!("{place} is one thing or null") };
        assert_eq!(null["type"], "null", "{place}");
        if !value.is_null() {
            fits(whole, some, value, place, seen);
        }
        return;
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let several = schema["type"].as_array().map(Vec::as_slice).unwrap_or(std::slice::from_ref(&schema["type"]));
    let kinds: Vec<&str> = several.iter().filter_map(Value::as_str).collect();
    let is_number = kind == "integer" && kinds.contains(&"number");
    assert!(is_number || kinds.contains(&kind), "{place} is {value}, not {kinds:?}");
    assert!(schema["enum"].as_array().is_none_or(|words| words.contains(value)), "{place} is {value}");
    if schema["format"] == "date-time" && !value.is_null() {
        assert!(value.as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{place} is {value}");
    }
    for item in value.as_array().into_iter().flatten() {
        fits(whole, &schema["items"], item, place, seen);
    }
    if let Some(fields) = value.as_object() {
        let described = schema["properties"].as_object().unwrap_or_else(|| panic!("{place} has no fields"));
        let names = |fields: &serde_json::Map<String, Value>| fields.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(names(fields), names(described), "{place}");
        for (name, field) in fields {
            let place = format!("{place}.{name}");
            if !field.is_null() && field.as_array().is_none_or(|list| !list.is_empty()) {
                seen.insert(place.clone());
            }
            fits(whole, &described[name], field, &place, seen);
        }
    }
}

#[tokio::test]
async fn every_answer_is_as_it_is_described_and_the_examples_are_answers() {
    let stage = day().await;
    let incident = stage.incident("edxapp").await.id;
    let (mut whole, mut seen) = (description(), BTreeSet::new());
    for (path, target) in [
        ("/on-call", "/on-call?service=edxapp".to_owned()),
        ("/queue", "/queue?service=edxapp".to_owned()),
        ("/incidents", "/incidents".to_owned()),
        ("/incidents/{incident}", format!("/incidents/{incident}")),
        ("/freezes", "/freezes".to_owned()),
        ("/measures.json", "/measures.json?service=edxapp&from=2026-03".to_owned()),
        ("/may-deploy", "/may-deploy?service=edxapp&number=13".to_owned()),
        ("/may-merge", "/may-merge?repository=openedx/edx-platform".to_owned()),
    ] {
        let answer = said(&stage, &target).await;
        let content = &whole["paths"][path]["get"]["responses"]["200"]["content"]["application/json"];
        fits(&whole, &content["schema"], &answer, path, &mut seen);
        whole["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["example"] = answer;
    }
    let wrong = ask(&stage, "/on-call?service=lms", &[]).await;
    let error: Value = serde_json::from_str(&wrong.body).unwrap();
    fits(&whole, &serde_json::json!({ "$ref": "#/components/schemas/Error" }), &error, "", &mut seen);
    whole["components"]["responses"]["NotFound"]["content"]["application/json"]["example"] = error;
    let text = format!("{}\n", serde_json::to_string_pretty(&whole).unwrap());
    expect_file!["../../../../functions/on-request/src/api/openapi.json"].assert_eq(&text);
    assert_eq!(
        ask(&stage, "/openapi.json", &[]).await.body.len(),
        include_str!("../../../../functions/on-request/src/api/openapi.json").len()
    );
}

#[tokio::test]
async fn every_field_has_words_and_every_parameter_is_taken() {
    let whole = description();
    for (name, schema) in whole["components"]["schemas"].as_object().unwrap() {
        assert!(schema["description"].is_string(), "{name}");
        let fields = schema["properties"].as_object().unwrap();
        let required: Vec<&str> = schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(required, fields.keys().map(String::as_str).collect::<Vec<_>>(), "{name}: null, never absent");
        assert_eq!(schema["additionalProperties"], false, "{name}");
        for (field, schema) in fields {
            assert!(
                schema["description"].as_str().is_some_and(|words| words.ends_with(['.', '`', ':', ')'])),
                "{name}.{field}"
            );
        }
    }
    // A parameter that nobody knows is answered by which there are.
    let stage = day().await;
    for (path, item) in whole["paths"].as_object().unwrap() {
        let query = |one: &&Value| resolved(&whole, one)["in"] == "query";
        let parameters = item["get"]["parameters"].as_array().unwrap().iter();
        let described: BTreeSet<&str> =
            parameters.filter(query).map(|one| resolved(&whole, one)["name"].as_str().unwrap()).collect();
        let path = path.replace("{incident}", "edxapp-k3v7q2ma");
        let refused = ask(&stage, &format!("{path}?surely-not"), &[("accept", "application/json")]).await;
        let error: Value = serde_json::from_str(&refused.body).unwrap();
        let (_, taken) = error["error"].as_str().unwrap().split_once("there are: ").unwrap();
        let taken: BTreeSet<&str> = taken.split(", ").filter(|name| *name != "none").collect();
        assert_eq!((refused.status, described), (400, taken), "{path}");
    }
}
