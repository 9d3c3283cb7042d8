//! `mode` and `[services.<id>.acts]`: how far automation goes for a service, and what has to be so for it to act.

use std::collections::BTreeMap;

use domain::autopilot::{APART, Acts};
use domain::{Matcher, Mode, Service};

use super::pipelines::{self, Pipelines};
use super::section::Section;
use super::sources::{SenderConfig, revert_source_of};

/// How far automation goes.
const MODES: [(&str, Mode); 6] = [
    ("manual", Mode::Manual),
    ("shadow", Mode::Shadow),
    ("notify", Mode::Notify),
    ("page", Mode::Page),
    ("propose", Mode::Propose),
    ("act", Mode::Act),
];
/// How likely a change has to be the cause for its revert to be merged by itself, unless it is said.
const LIKELY_FROM: u16 = 90;
/// The forges that are asked to merge.
const MERGES: [&str; 2] = ["github", "gitlab"];

/// `mode = "shadow"`, and `acts`, without which a service does not act.
pub(super) fn read(section: &mut Section<'_, '_>, pipelines: &Pipelines) -> (Mode, Option<Acts>) {
    let mode = section.choice("mode", &MODES).unwrap_or_default();
    let acts = section.table("acts", |section| acts(section, pipelines)).flatten();
    if mode == Mode::Act && acts.is_none() {
        section.problem_with(
            "mode",
            "`mode = \"act\"` needs an `acts` that says by which label an alert is one of the canary: acts = { canary = \"track=canary\" }",
        );
    }
    (mode, acts)
}

fn acts(section: &mut Section<'_, '_>, pipelines: &Pipelines) -> Option<Acts> {
    let canary = section.need_text("canary");
    let likely_from = section.percent("likely_from").unwrap_or(LIKELY_FROM);
    let cool_down = section.duration("cool_down").unwrap_or(APART);
    let rolls_back = pipelines::rolls_back(section, pipelines);
    if cool_down < APART {
        section.problem_with("cool_down", "`cool_down` is an hour or more: a service acts once an hour at most");
    }
    if likely_from < 50 {
        section.problem_with(
            "likely_from",
            "`likely_from` is 50 % or more: what is more likely wrong than right is left to people",
        );
    }
    match canary.split_once('=') {
        Some((label, value)) if !label.trim().is_empty() && !value.trim().is_empty() => {
            let canary = Matcher { label: label.trim().to_owned(), value: value.trim().to_owned() };
            Some(Acts { canary, likely_from, cool_down, rolls_back })
        }
        Some(_) | None => {
            section.problem_with("canary", "`canary` is \"label=value\", which alerts of the canary have");
            None
        }
    }
}

/// Whether there is a forge that does what the modes promise.
pub(super) fn check(root: &mut Section<'_, '_>, services: &[Service], senders: &BTreeMap<String, SenderConfig>) {
    for service in services.iter().filter(|service| service.mode >= Mode::Propose) {
        let forges: Vec<&SenderConfig> =
            service.merged().filter_map(|repository| Some(revert_source_of(senders, repository)?.0)).collect();
        let (id, mode) = (&service.id, service.mode.word());
        if forges.is_empty() {
            root.problem(format!("{id} is in mode {mode}, and no source has `reverts = true` for its repositories: nothing would be proposed"));
        } else if service.mode == Mode::Act
            && service.acts.as_ref().is_none_or(|acts| acts.rolls_back.is_none())
            && !forges.iter().any(|forge| MERGES.contains(&forge.kind.as_str()))
        {
            root.problem(format!(
                "{id} is in mode act, what it deploys is merged at none of: {}; and no pipeline `rolls_back`",
                MERGES.join(", ")
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::{Configuration, no_files};

    /// What `edxapp` in mode `act` is told of this, with a pipeline of each kind.
    fn read(rolls_back: &str) -> Result<String, Vec<String>> {
        let text = format!(
            r#"
[people.anna]
zone = "UTC"
contacts = ["terminal"]
[unmapped]
rotation = ["anna"]
[senders.github]
secret = "hook"
api_token = "forge"
reverts = true
[pipelines.argo-cd]
url = "https://argo.example.com"
[pipelines.gocd]
url = "https://gocd.example.com"
[pipelines.codepipeline]
[services.edxapp]
mode = "act"
owners = ["anna"]
rotation = ["anna"]
repositories = [{{ name = "openedx/edx-platform" }}]
environments.production.live = true
acts = {{ canary = "track=canary", rolls_back = "{rolls_back}" }}
"#
        );
        match Configuration::parse(&text, &no_files) {
            Ok(house) => {
                let acts = house.settings.service(&"edxapp".parse().unwrap()).unwrap().acts.clone().unwrap();
                Ok(acts.rolls_back.unwrap().to_string())
            }
            Err(problems) => Err(problems.iter().map(|problem| problem.what.clone()).collect()),
        }
    }

    #[test]
    fn a_pipeline_that_goes_back_is_one_that_can() {
        for pipeline in ["argo-cd:edx/edxapp", "codepipeline:edxapp/Deploy"] {
            assert_eq!(read(pipeline).unwrap(), pipeline);
        }
        for (pipeline, why) in [
            ("argo-cd:edx", "argo-cd goes back by a project and one application, such as edx/edxapp"),
            ("codepipeline:edxapp", "codepipeline goes back by a pipeline and its stage"),
            ("gocd:edxapp", "gocd cannot be asked to go back"),
            ("spinnaker:x", "`rolls_back` is \"<pipeline>:<id>\", of a [pipelines.<name>]"),
            ("edxapp", "`rolls_back` is"),
        ] {
            let problems = read(pipeline).unwrap_err();
            assert!(problems.len() == 1 && problems[0].contains(why), "{pipeline}: {problems:?}");
        }
    }
}
