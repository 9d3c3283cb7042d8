//! `[pipelines.<name>]`, and what services hold of them.

use std::collections::BTreeMap;
use std::str::FromStr;

use domain::service::Pipeline;
use strum::IntoEnumIterator;

use super::section::Section;
use crate::pipeline::{PipelineConfig, PipelineKind};

/// The configured pipelines, by name.
pub(super) type Pipelines = BTreeMap<String, PipelineConfig>;

pub(super) fn read(root: &mut Section<'_, '_>) -> Pipelines {
    let found = root.tables("pipelines", pipeline).into_values().flatten();
    found.map(|pipeline| (pipeline.name.clone(), pipeline)).collect()
}

fn pipeline(name: &str, section: &mut Section<'_, '_>) -> Option<PipelineConfig> {
    if name.is_empty() || name.contains(':') {
        section.problem("the name stands before the `:` of what services hold");
    }
    let word = section.text("kind").unwrap_or_else(|| name.to_owned());
    let url = section.url("url");
    let Ok(kind) = PipelineKind::from_str(&word) else {
        let words: Vec<&str> = PipelineKind::iter().map(PipelineKind::word).collect();
        let word = domain::text::line(&word, 40);
        section.problem(format!("no pipeline is called `{word}`; say which by `kind`: {}", words.join(", ")));
        drop(section.text("secret"));
        return None;
    };
    if kind.is_elsewhere() && !section.has("url") {
        section.problem("`url` is missing");
    }
    let secret = kind.is_elsewhere().then(|| section.text("secret").unwrap_or_else(|| name.to_owned()));
    Some(PipelineConfig { name: name.to_owned(), kind, url, secret })
}

/// `holds = ["gocd:edxapp-production"]`: what waits while the service's deployments are frozen.
///
/// `held`: what other services hold. No two hold the same, since the one would let go what the other holds.
pub(super) fn holds(
    name: &str,
    section: &mut Section<'_, '_>,
    pipelines: &Pipelines,
    held: &mut BTreeMap<Pipeline, String>,
) -> Vec<Pipeline> {
    let mut found = Vec::new();
    for (text, span) in section.texts("holds") {
        let (at, id) = text.split_once(':').unwrap_or((&text, ""));
        let (at, id) = (at.trim(), id.trim());
        let Some(PipelineConfig { kind, .. }) = pipelines.get(at) else {
            let at = domain::text::line(at, 40);
            let what = format!("an entry of `holds` is \"<pipeline>:<id>\"; there is no [pipelines.{at}]");
            section.problem_in(&span, what);
            continue;
        };
        if !kind.takes(id) {
            section.problem_in(&span, format!("after `{at}:` comes something like {}", kind.example()));
            continue;
        }
        let pipeline = Pipeline { at: at.to_owned(), id: id.to_owned() };
        match held.insert(same(&pipeline, *kind), name.to_owned()) {
            None => found.push(pipeline),
            Some(other) if other == name => section.problem_in(&span, "that is held already"),
            Some(other) => {
                let why = "the one would let it go while the other is frozen";
                section.problem_in(&span, format!("{other} holds that too: no two services can, since {why}"));
            }
        }
    }
    found
}

/// `rolls_back = "argo-cd:edx/edxapp"`: the pipeline that is asked to go back.
pub(super) fn rolls_back(section: &mut Section<'_, '_>, pipelines: &Pipelines) -> Option<Pipeline> {
    let text = section.text("rolls_back")?;
    let found = Pipeline::parse(&text).and_then(|one| Some((pipelines.get(&one.at)?.kind, one)));
    match found {
        None => section.problem_with("rolls_back", "`rolls_back` is \"<pipeline>:<id>\", of a [pipelines.<name>]"),
        Some((kind, one)) if kind.rolls_back(&one.id) => return Some(one),
        Some((kind, _)) => {
            let what = format!("`rolls_back`: {} {}", kind.word(), kind.rolled_back_as());
            section.problem_with("rolls_back", what);
        }
    }
    None
}

/// The one name of a pipeline: GoCD does not tell them apart by letter case.
fn same(pipeline: &Pipeline, kind: PipelineKind) -> Pipeline {
    let id = match kind {
        PipelineKind::GoCd => pipeline.id.to_lowercase(),
        PipelineKind::CodePipeline | PipelineKind::ArgoCd => pipeline.id.clone(),
    };
    Pipeline { at: pipeline.at.clone(), id }
}

#[cfg(test)]
mod tests {
    use crate::settings::{Configuration, no_files};

    const HOUSE: &str = r#"
[people.anna]
zone = "UTC"
contacts = ["terminal"]
[unmapped]
rotation = ["anna"]
[services.edxapp]
owners = ["anna"]
rotation = ["anna"]
repositories = [{ name = "openedx/edx-platform" }]
environments.production.live = true
"#;

    fn read(rest: &str) -> Result<Configuration, Vec<String>> {
        let text = format!("{HOUSE}{rest}");
        Configuration::parse(&text, &no_files)
            .map_err(|problems| problems.iter().map(|p| format!("{} {}", p.line.saturating_sub(11), p.what)).collect())
    }

    #[test]
    fn a_pipeline_is_what_its_name_says_unless_its_kind_says_otherwise() {
        let text = r#"holds = ["codepipeline:edxapp/Deploy", "eu:edxapp", "argo-cd:edx", " argo-cd : edx/edxapp "]
[pipelines.codepipeline]
[pipelines.eu]
kind = "gocd"
url = "https://gocd.example.com/"
[pipelines.argo-cd]
url = "https://argo.example.com"
secret = "argo-token""#;
        let house = read(text).unwrap();
        let shown: Vec<String> = house
            .pipelines
            .values()
            .map(|p| format!("{} {} {:?} {:?}", p.name, p.kind.word(), p.url.as_deref(), p.secret.as_deref()))
            .collect();
        assert_eq!(
            shown,
            [
                "argo-cd argo-cd Some(\"https://argo.example.com\") Some(\"argo-token\")",
                "codepipeline codepipeline None None",
                "eu gocd Some(\"https://gocd.example.com\") Some(\"eu\")",
            ]
        );
        let service = house.settings.service(&"edxapp".parse().unwrap()).unwrap();
        let held: Vec<String> = service.holds.iter().map(ToString::to_string).collect();
        assert_eq!(held, ["codepipeline:edxapp/Deploy", "eu:edxapp", "argo-cd:edx", "argo-cd:edx/edxapp"]);
    }

    #[test]
    fn what_is_not_right_of_a_pipeline_is_told_with_its_line() {
        let text = "[pipelines.jenkins]\nsecret = \"x\"\n[pipelines.gocd]\n[pipelines.codepipeline]\nsecret = \"x\"\n\
                    [pipelines.\"a:b\"]\nkind = \"codepipeline\"\n[pipelines.argo-cd]\nurl = \"argo\"\n";
        assert_eq!(
            read(text).unwrap_err(),
            [
                "1 [pipelines.jenkins] no pipeline is called `jenkins`; say which by `kind`: codepipeline, gocd, argo-cd",
                "3 [pipelines.gocd] `url` is missing",
                "5 [pipelines.codepipeline] `secret` is not known here",
                "6 [pipelines.a:b] the name stands before the `:` of what services hold",
                "9 [pipelines.argo-cd] `url` has to be an http or https address",
            ]
        );
    }

    #[test]
    fn a_service_holds_what_is_there_and_nobody_else_holds() {
        let text = r#"holds = [
"spinnaker:x", "edxapp",
"gocd:../x",
"codepipeline:edxapp",
"gocd:edxapp",
"gocd:EdxApp",
]
[services.other]
owners = ["anna"]
rotation = ["anna"]
repositories = [{ name = "openedx/other" }]
environments.production.live = true
holds = ["codepipeline:other/Deploy",
"gocd:EDXAPP"]
[pipelines.gocd]
url = "https://gocd.example.com"
[pipelines.codepipeline]"#;
        let problems = read(text).unwrap_err();
        let after = "comes something like edxapp-production";
        assert_eq!(
            problems,
            [
                "2 [services.edxapp] an entry of `holds` is \"<pipeline>:<id>\"; there is no [pipelines.edxapp]".to_owned(),
                "2 [services.edxapp] an entry of `holds` is \"<pipeline>:<id>\"; there is no [pipelines.spinnaker]".to_owned(),
                format!("3 [services.edxapp] after `gocd:` {after}"),
                format!("4 [services.edxapp] after `codepipeline:` {after}/Deploy, a pipeline and the stage before which it waits"),
                "6 [services.edxapp] that is held already".to_owned(),
                "14 [services.other] edxapp holds that too: no two services can, since the one would let it go while the \
                 other is frozen".to_owned(),
            ]
        );
    }
}
