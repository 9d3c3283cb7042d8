//! The template against the code: what both say is the same, and each function may do what it was seen to do, no less and
//! no more. `tests/run` translates infra/template.yaml as AWS does and names the result in RECENT_DEPLOYERS_TEMPLATE; without it
//! these tests say that they did nothing.

use std::collections::{BTreeMap, BTreeSet};

use aws::{keys, schema};
use house_tests::long_day::LongDay;
use house_tests::{FUNCTIONS, Stage, TOKEN};
use recent_deployers::demo::payloads::token_headers;
use serde_json::{Value, json};

fn template() -> Option<Value> {
    let path = std::env::var_os("RECENT_DEPLOYERS_TEMPLATE");
    if path.is_none() {
        println!("not present: RECENT_DEPLOYERS_TEMPLATE; 0 resources compared");
    }
    let text = std::fs::read_to_string(path?).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// `on-merge` as the template calls it: `OnMerge`.
fn logical(function: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    function.split('-').map(word).collect()
}

fn properties<'a>(template: &'a Value, name: &str) -> &'a Value {
    let found = &template["Resources"][name]["Properties"];
    assert!(found.is_object(), "there is no {name}");
    found
}

fn all<'a>(template: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let resources = template["Resources"].as_object().unwrap();
    let of = resources.iter().filter(|(_, r)| r["Type"] == kind);
    of.map(|(name, r)| (name.as_str(), &r["Properties"])).collect()
}

/// What is a list, or one thing.
fn list(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |list| list.iter().collect())
}

#[test]
fn the_versions_of_the_tables_items_are_those_of_the_code() {
    let Some(template) = template() else { return };
    let output = |name: &str| template["Outputs"][name]["Value"].as_str().unwrap().to_owned();
    assert_eq!(output("TableWrites"), schema::WRITES.to_string());
    assert_eq!(output("TableReads"), schema::READS.to_string());
}

#[test]
fn the_tables_keys_indexes_and_expiry_are_those_of_the_code() {
    let Some(template) = template() else { return };
    let table = properties(&template, "Table");
    let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    assert_eq!(table["KeySchema"], json!([key(keys::PARTITION, "HASH"), key(keys::SORT, "RANGE")]));
    let indexes = [(keys::DUE_INDEX, keys::DUE, keys::DUE_AT), (keys::PERSON_INDEX, keys::PERSON, keys::PERSON_AT)];
    let index = |(name, hash, range): (&str, &str, &str)| {
        json!({ "IndexName": name, "KeySchema": [key(hash, "HASH"), key(range, "RANGE")],
            "Projection": { "ProjectionType": "KEYS_ONLY" } })
    };
    assert_eq!(table["GlobalSecondaryIndexes"], json!(indexes.map(index)));
    let attribute = |name: &str, kind: &str| json!({ "AttributeName": name, "AttributeType": kind });
    let text = [keys::PARTITION, keys::SORT, keys::DUE].map(|name| attribute(name, "S"));
    let attributes = [
        text.to_vec(),
        vec![attribute(keys::DUE_AT, "N"), attribute(keys::PERSON, "S"), attribute(keys::PERSON_AT, "N")],
    ];
    assert_eq!(table["AttributeDefinitions"], json!(attributes.concat()));
    assert_eq!(table["TimeToLiveSpecification"], json!({ "AttributeName": keys::EXPIRES, "Enabled": true }));
    for (what, path) in [
        ("point-in-time recovery", "/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled"),
        ("deletion protection", "/DeletionProtectionEnabled"),
        ("encryption", "/SSESpecification/SSEEnabled"),
    ] {
        assert_eq!(table.pointer(path), Some(&json!(true)), "{what}");
    }
    assert_eq!(template["Resources"]["Table"]["DeletionPolicy"], "Retain");
}

/// The table's stream wakes on-schedule for what was rung from outside, and for nothing that on-schedule writes itself.
#[tokio::test]
async fn the_bell_rings_for_what_was_decided_from_outside() {
    let Some(template) = template() else { return };
    let filters = &properties(&template, "Bell")["FilterCriteria"]["Filters"];
    let pattern: Value = serde_json::from_str(filters[0]["Pattern"].as_str().unwrap()).unwrap();
    let clock = keys::clock(&"edxapp".parse().unwrap());
    let wanted = json!({ keys::SORT: { "S": [clock.sort] }, keys::RUNG: { "BOOL": [true] } });
    assert_eq!(pattern, json!({ "dynamodb": { "NewImage": wanted } }));
    assert_eq!(properties(&template, "Table")["StreamSpecification"]["StreamViewType"], "NEW_IMAGE");
    let day = Stage::new().await;
    let rung = async || {
        let table = aws::clients::dynamodb(&day.endpoints().await, &day.house.http);
        let item = table
            .get_item()
            .table_name("recent-deployers")
            .key(keys::PARTITION, aws::records::text(&clock.partition))
            .key(keys::SORT, aws::records::text(&clock.sort));
        item.send().await.unwrap().item.unwrap().contains_key(keys::RUNG)
    };
    let request = aws::Request::new(
        "POST",
        "/alert/alertmanager",
        token_headers(TOKEN),
        day.alerting("edxapp", "Fri 12:00", false).to_string().into_bytes(),
    );
    assert_eq!(day.bundle.route(request).await.status, 200);
    assert!(rung().await, "an alert rings");
    let event = json!({ "Records": [{ "eventSource": "aws:dynamodb", "dynamodb": { "Keys": {
        "pk": { "S": clock.partition.clone() }, "sk": { "S": clock.sort.clone() } } } }] });
    let settled = on_schedule::handle(&day.house, &event).await.unwrap();
    assert_eq!(settled, json!({ "settled": 1 }));
    assert!(!rung().await, "looked at, it is quiet");
}

#[test]
fn every_route_leads_to_its_function_and_alerts_are_not_throttled() {
    let Some(template) = template() else { return };
    let mut routes = BTreeMap::new();
    for (_, route) in all(&template, "AWS::ApiGatewayV2::Route") {
        let target = route["Target"]["Fn::Sub"].as_str().unwrap();
        let integration = target.trim_start_matches("integrations/${").trim_end_matches('}');
        let function = &properties(&template, integration)["IntegrationUri"]["Fn::GetAtt"][0];
        routes.insert(route["RouteKey"].as_str().unwrap(), function.as_str().unwrap());
    }
    let want = [
        ("GET /", "OnRequest"),
        ("GET /sign-in", "OnRequest"),
        ("GET /sign-in/callback", "OnRequest"),
        ("GET /{proxy+}", "OnRequest"),
        ("HEAD /{proxy+}", "OnRequest"),
        ("POST /alert/{sender}", "OnAlert"),
        ("POST /deploy/{sender}", "OnDeploy"),
        ("POST /merge/{sender}", "OnMerge"),
        ("POST /{proxy+}", "OnRequest"),
    ];
    assert_eq!(routes.into_iter().collect::<Vec<_>>(), want);
    let throttled = properties(&template, "Stage")["RouteSettings"].as_object().unwrap();
    let want = ["GET /sign-in", "GET /sign-in/callback", "POST /deploy/{sender}", "POST /merge/{sender}"];
    assert_eq!(throttled.keys().collect::<Vec<_>>(), want);
    let own = |name: &str| properties(&template, name)["ReservedConcurrentExecutions"]["Ref"].clone();
    assert_eq!((own("OnAlert"), own("OnMerge")), (json!("AlertConcurrency"), json!("OtherConcurrency")));
}

#[test]
fn each_function_ends_before_whoever_waits_for_it_gives_up() {
    let Some(template) = template() else { return };
    let timeout = |function: &str| properties(&template, &logical(function))["Timeout"].as_i64().unwrap();
    for function in ["on-merge", "on-deploy", "on-request"] {
        assert!(timeout(function) < 10, "{function}: GitHub gives 10 s");
    }
    assert!(timeout("on-alert") <= 5, "PagerDuty gives 5 s");
    let claim = domain::on_page::CLAIM.as_secs();
    assert!(timeout("on-page") < claim, "a claim is free for the next delivery after {claim} s");
    assert!(timeout("on-schedule") < 60, "the next tick is a minute away");
}

/// Every event that nobody waits for has somewhere to go when it cannot be handled, and somebody hears of that.
#[test]
fn what_cannot_be_delivered_goes_to_a_queue_with_an_alarm() {
    let Some(template) = template() else { return };
    let dead = |value: &Value| {
        let text = value.to_string();
        text.contains("DeadPages") || text.contains("DeadEvents")
    };
    for (name, subscription) in all(&template, "AWS::SNS::Subscription") {
        let email = subscription["Protocol"] == "email";
        assert!(email || dead(&subscription["RedrivePolicy"]), "{name}");
    }
    for (name, rule) in all(&template, "AWS::Events::Rule") {
        assert!(list(&rule["Targets"]).iter().all(|target| dead(&target["DeadLetterConfig"])), "{name}");
    }
    for (name, schedule) in all(&template, "AWS::Scheduler::Schedule") {
        assert!(dead(&schedule["Target"]["DeadLetterConfig"]), "{name}");
    }
    for (name, mapping) in all(&template, "AWS::Lambda::EventSourceMapping") {
        assert!(dead(&mapping["DestinationConfig"]["OnFailure"]), "{name}");
    }
    for function in ["OnDeploy", "OnAlert", "OnSchedule", "OnPage"] {
        assert!(dead(&properties(&template, function)["DeadLetterConfig"]), "{function} is invoked by events");
    }
    let alarms = all(&template, "AWS::CloudWatch::Alarm");
    for queue in ["DeadPages", "DeadEvents"] {
        assert!(alarms.iter().any(|(_, alarm)| alarm["Dimensions"].to_string().contains(queue)), "{queue}");
    }
    for function in FUNCTIONS.map(logical) {
        let fails = |alarm: &Value| {
            alarm["MetricName"] == "Errors" && alarm["Dimensions"].to_string().contains(&format!("\"{function}\""))
        };
        assert!(alarms.iter().any(|(_, alarm)| fails(alarm)), "{function}");
        assert!(all(&template, "AWS::Logs::LogGroup").iter().any(|(name, _)| **name == format!("{function}Log")));
    }
    for (name, alarm) in alarms {
        assert!(alarm["AlarmActions"].to_string().contains("Operations"), "{name} tells somebody");
        assert!(alarm["AlarmDescription"].as_str().unwrap().contains("infra/README.md"), "{name} says what to do");
    }
}

/// `dynamodb:GetItem`, `dynamodb:Query index/due`: what a function's role allows, as [`house_tests::gate::Gate::asked`] names it. Not
/// what Lambda does for it (logs, traces, dead letters, the stream), nor the parameters, which are those of its `secrets`.
fn allowed(template: &Value, function: &str) -> BTreeSet<String> {
    let role = properties(template, &format!("{}Role", logical(function)));
    let mut allowed = BTreeSet::new();
    for statement in list(&role["Policies"]).into_iter().flat_map(|policy| list(&policy["PolicyDocument"]["Statement"]))
    {
        let statement = statement.get("Fn::If").map_or(statement, |branches| &branches[1]);
        let resource = statement["Resource"].to_string();
        for action in list(&statement["Action"]).into_iter().filter_map(Value::as_str) {
            match (action, resource.as_str()) {
                ("dynamodb:Query", index) if index.contains("/index/") => {
                    let name = index.rsplit('/').next().unwrap().trim_end_matches(['"', '}', ']']);
                    allowed.insert(format!("{action} index/{name}"));
                }
                (action, resource) if resource.contains("\"Table\"") && !resource.contains("StreamArn") => {
                    allowed.insert(action.to_owned());
                }
                ("sns:Publish", resource) if resource.contains("\"Pages\"") => {
                    allowed.insert(action.to_owned());
                }
                ("sns:Publish", _) if statement.get("NotResource").is_some() => {
                    allowed.insert(format!("{action} to a number"));
                }
                ("ses:SendEmail" | "scheduler:CreateSchedule" | "iam:PassRole", _) => {
                    allowed.insert(action.to_owned());
                }
                _ => {}
            }
        }
    }
    allowed
}

#[test]
fn the_clock_may_hold_the_pipelines_that_are_named_and_nobody_else_may() {
    let Some(template) = template() else { return };
    let mut holding = Vec::new();
    for (name, role) in all(&template, "AWS::IAM::Role") {
        let policies = list(&role["Policies"]).into_iter();
        for statement in policies.flat_map(|policy| list(&policy["PolicyDocument"]["Statement"])) {
            let own = statement.get("Fn::If").map_or(statement, |branches| &branches[1]);
            if own["Action"].to_string().contains("codepipeline:") {
                // Where none is named nothing is allowed.
                let condition = statement["Fn::If"][0].as_str().unwrap().to_owned();
                holding.push((name.to_owned(), condition, own["Action"].clone(), own["Resource"].clone()));
            }
        }
    }
    // What the client of CodePipeline asks for: its contract is in `pipelines`.
    let actions = json!([
        "codepipeline:GetPipelineState",
        "codepipeline:DisableStageTransition",
        "codepipeline:EnableStageTransition"
    ]);
    let back = json!(["codepipeline:ListPipelineExecutions", "codepipeline:RollbackStage"]);
    let want = [("HoldsPipelines", actions, "HeldPipelines"), ("RollsBackPipelines", back, "RolledBackPipelines")];
    let want = want.map(|(condition, actions, pipelines)| {
        ("OnScheduleRole".to_owned(), condition.to_owned(), actions, json!({ "Ref": pipelines }))
    });
    assert_eq!(holding, want);
}

#[test]
fn no_role_has_more_than_named_actions_on_named_resources() {
    let Some(template) = template() else { return };
    let roles = all(&template, "AWS::IAM::Role");
    assert_eq!(roles.len(), 7, "one a function, and the scheduler's");
    for (name, role) in roles {
        assert!(role.get("ManagedPolicyArns").is_none(), "{name}");
        for statement in
            list(&role["Policies"]).into_iter().flat_map(|policy| list(&policy["PolicyDocument"]["Statement"]))
        {
            let statement = statement.get("Fn::If").map_or(statement, |branches| &branches[1]);
            for action in list(&statement["Action"]).into_iter().map(|a| a.as_str().unwrap()) {
                assert!(!action.contains('*'), "{name}: {action}");
                // X-Ray gives its actions no resource; a text message goes to a number, which is none.
                let has_none =
                    action.starts_with("xray:") || (action == "sns:Publish" && statement.get("NotResource").is_some());
                let named = statement["Resource"].as_str() != Some("*") && !statement["Resource"].is_null();
                assert!(named || has_none, "{name}: {action} on anything");
            }
        }
    }
}

/// The secrets' values are parameters that a function reads itself: nothing in its environment is one.
#[test]
fn no_secret_is_in_an_environment() {
    let Some(template) = template() else { return };
    for function in FUNCTIONS.map(logical) {
        let variables = properties(&template, &function)["Environment"]["Variables"].as_object().unwrap();
        let names: Vec<&str> = variables.keys().map(String::as_str).collect();
        let known =
            ["CONFIG", "PUBLIC_URL", "SECRETS_PATH", "TABLE", "TOPIC", "WAKE_GROUP", "WAKE_ROLE", "WAKE_TARGET"];
        let known = known.map(|name| format!("RECENT_DEPLOYERS_{name}"));
        assert!(names.iter().all(|name| known.iter().any(|known| known == name)), "{names:?}");
    }
}

/// Everything that the functions do to the table, the topic, the scheduler, by e-mail and by text message, in one long day: what was
/// seen is what the roles allow.
#[tokio::test]
async fn each_function_may_do_what_it_was_seen_to_do_and_nothing_else() {
    let Some(template) = template() else { return };
    let mut day = LongDay::begin().await;
    let gates = day.stage.watched(&day.beyond.address).await;
    day.passes().await;
    let mut wrong = Vec::new();
    for (function, gates) in &gates {
        let seen: BTreeSet<String> = gates.iter().flat_map(house_tests::gate::Gate::asked).collect();
        let allowed = allowed(&template, function);
        let (missing, unused) = (seen.difference(&allowed), allowed.difference(&seen));
        wrong.extend(missing.map(|action| format!("{function} does {action}, and may not")));
        wrong.extend(unused.map(|action| format!("{function} may {action}, and was never seen to")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
