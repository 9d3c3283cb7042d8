//! `layer <config> <folder>`: a configuration as it travels to the functions on AWS, and which of them asks for which
//! secret. For `infra/build` and `infra/deploy`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws::pipeline::PipelineKind;
use aws::settings::{Configuration, Unreadable};
use domain::service::Pipeline;

use crate::catalogue;

/// Why a layer was not written.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    #[error(transparent)]
    Configuration(#[from] Unreadable),
    #[error("{path} cannot be written")]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Checks a configuration and writes it, with the files that it names, into a folder. Returns a line for each function
/// with the secrets that it asks for.
pub fn write(config: &Path, folder: &Path) -> Result<String, LayerError> {
    let (configuration, files) = Configuration::read_with_files(config, &catalogue::names())?;
    for (name, text) in files {
        let path = folder.join(name);
        let failed = |source| LayerError::Write { path: path.clone(), source };
        fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(failed)?;
        fs::write(&path, text).map_err(failed)?;
    }
    let lines = secrets(&configuration).map(|(function, names)| format!("{function} {}", names.join(" ")));
    let lines = lines.chain(held(&configuration).map(|names| format!("codepipeline {names}")));
    let lines = lines.chain(rolled_back(&configuration).map(|names| format!("codepipeline-rollback {names}")));
    Ok(lines.map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n"))
}

/// The pipelines of CodePipeline that are held, each with its stage: `edxapp-production/Deploy`.
fn held(configuration: &Configuration) -> Option<String> {
    named(configuration, configuration.settings.services().flat_map(|service| &service.holds))
}

/// Those that are asked to go back.
fn rolled_back(configuration: &Configuration) -> Option<String> {
    let acts = configuration.settings.services().filter_map(|service| service.acts.as_ref());
    named(configuration, acts.filter_map(|acts| acts.rolls_back.as_ref()))
}

/// Those of CodePipeline, each once.
fn named<'a>(configuration: &Configuration, pipelines: impl Iterator<Item = &'a Pipeline>) -> Option<String> {
    let ours = pipelines.filter(|one| {
        configuration.pipelines.get(&one.at).is_some_and(|pipeline| pipeline.kind == PipelineKind::CodePipeline)
    });
    let mut names: Vec<&str> = ours.map(|one| one.id.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    (!names.is_empty()).then(|| names.join(" "))
}

/// The secrets of each function, each once.
fn secrets(configuration: &Configuration) -> impl Iterator<Item = (&'static str, Vec<String>)> {
    let all = [
        ("on-merge", on_merge::secrets(configuration)),
        ("on-deploy", on_deploy::secrets(configuration)),
        ("on-alert", on_alert::secrets(configuration)),
        ("on-schedule", on_schedule::secrets(configuration)),
        ("on-page", on_page::secrets(configuration)),
        ("on-request", on_request::secrets(configuration)),
    ];
    all.into_iter().map(|(function, mut names)| {
        names.sort();
        names.dedup();
        (function, names)
    })
}
