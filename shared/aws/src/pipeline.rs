//! Pipelines: which of them can be asked to hold, what each needs in the configuration, and what it calls what it moves.
//! Asking is `on-schedule`'s business.

use strum::{EnumIter, EnumString, IntoStaticStr};

/// What a pipeline speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, EnumString, EnumIter)]
#[strum(serialize_all = "kebab-case")]
pub enum PipelineKind {
    /// AWS CodePipeline, of our own account and region: the transition into a stage.
    #[strum(serialize = "codepipeline")]
    CodePipeline,
    /// GoCD: a pipeline is paused.
    #[strum(serialize = "gocd")]
    GoCd,
    /// Argo CD: a sync window of a project.
    ArgoCd,
}

impl PipelineKind {
    /// As the configuration writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// Whether it is somewhere else, and believes whoever has its token. CodePipeline believes our account.
    #[must_use]
    pub fn is_elsewhere(self) -> bool {
        match self {
            Self::CodePipeline => false,
            Self::GoCd | Self::ArgoCd => true,
        }
    }

    /// What stands after the `:` of an entry of `holds`: an example.
    #[must_use]
    pub fn example(self) -> &'static str {
        match self {
            Self::CodePipeline => "edxapp-production/Deploy, a pipeline and the stage before which it waits",
            Self::GoCd => "edxapp-production",
            Self::ArgoCd => "edx-project or edx-project/edxapp, a project and one of its applications",
        }
    }

    /// Whether it can be called so there.
    #[must_use]
    pub fn takes(self, id: &str) -> bool {
        match self {
            Self::CodePipeline => {
                let fits = |name: &str| is_of(name, 100, |b| b.is_ascii_alphanumeric() || b".@-_".contains(&b));
                id.split_once('/').is_some_and(|(pipeline, stage)| fits(pipeline) && fits(stage))
            }
            Self::GoCd => is_of(id, 255, |b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) && !id.starts_with('.'),
            Self::ArgoCd => {
                let (project, application) = id.split_once('/').unwrap_or((id, "all"));
                [project, application].into_iter().all(is_kubernetes)
            }
        }
    }
}

impl PipelineKind {
    /// Whether it can be asked to go back, by that name.
    #[must_use]
    pub fn rolls_back(self, id: &str) -> bool {
        match self {
            Self::CodePipeline => self.takes(id),
            Self::ArgoCd => self.takes(id) && id.contains('/'),
            Self::GoCd => false,
        }
    }

    /// As what it can be, in words.
    #[must_use]
    pub fn rolled_back_as(self) -> &'static str {
        match self {
            Self::CodePipeline => "goes back by a pipeline and its stage, such as edxapp-production/Deploy",
            Self::ArgoCd => "goes back by a project and one application, such as edx/edxapp",
            Self::GoCd => "cannot be asked to go back",
        }
    }
}

fn is_of(name: &str, most: usize, fits: impl Fn(u8) -> bool) -> bool {
    !name.is_empty() && name.len() <= most && name.bytes().all(fits)
}

/// A name as Kubernetes gives them.
fn is_kubernetes(name: &str) -> bool {
    let ends = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    is_of(name, 253, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
        && ends(name.bytes().next())
        && ends(name.bytes().last())
}

/// How one pipeline is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineConfig {
    pub name: String,
    pub kind: PipelineKind,
    /// Where its API is, without a trailing slash. CodePipeline: only where it is not AWS's own.
    pub url: Option<String>,
    /// The name of the secret that is its token; CodePipeline has none.
    pub secret: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_is_called_as_its_kind_calls_them() {
        use PipelineKind::{ArgoCd, CodePipeline, GoCd};
        let long = "x".repeat(300);
        for (kind, good, bad) in [
            (
                CodePipeline,
                &["edxapp-production/Deploy", "a.b@c_d/e"][..],
                &["edxapp", "edxapp/", "/Deploy", "a/b/c", "a b/c", "edxapp/Deploy\n", &long][..],
            ),
            (GoCd, &["edxapp-production", "edxapp.1_2"], &["", ".", "..", "a/b", "a%2fb", "a b", "é", &long]),
            (
                ArgoCd,
                &["edx-project", "edx-project/edxapp", "a.b"],
                &["", "Edx", "edx/", "/edxapp", "a/b/c", "..", "-a", "edx/*", "edx project", &long],
            ),
        ] {
            for id in good {
                assert!(kind.takes(id), "{kind:?} {id}");
            }
            for id in bad {
                assert!(!kind.takes(id), "{kind:?} {id}");
            }
        }
    }
}
