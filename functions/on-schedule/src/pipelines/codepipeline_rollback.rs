//! AWS CodePipeline goes back: the stage is rolled back to the execution that had succeeded in it before the release. It has to be one
//! of the pipeline's current structure, and no rollback itself. Our role needs `codepipeline:ListPipelineExecutions` of the pipeline
//! and `codepipeline:RollbackStage` of the stage.
//! <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_RollbackStage.html>
//! <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ListPipelineExecutions.html>

use domain::autopilot::Back;
use serde::Deserialize;
use serde_json::json;

use super::codepipeline::{ask, names};
use super::{NoAnswer, Place, Rolled, read};

/// The newest ones; what is further back is not what was live before.
const MOST: u32 = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(default)]
    pipeline_execution_summaries: Vec<Execution>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Execution {
    pipeline_execution_id: String,
    execution_type: Option<String>,
    rollback_metadata: Option<RollbackMetadata>,
    #[serde(default)]
    source_revisions: Vec<SourceRevision>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RollbackMetadata {
    rollback_target_pipeline_execution_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SourceRevision {
    revision_id: Option<String>,
}

impl Execution {
    fn is(&self, back: &Back) -> bool {
        let commit = || back.commit.as_ref().is_some_and(|commit| self.revisions().any(|id| id == commit.as_str()));
        self.pipeline_execution_id == back.release.id || commit()
    }

    fn is_rollback(&self) -> bool {
        self.execution_type.as_deref() == Some("ROLLBACK")
    }

    fn goes_back_to(&self, other: &Self) -> bool {
        let target = self.rollback_metadata.as_ref().and_then(|to| to.rollback_target_pipeline_execution_id.as_deref());
        self.is_rollback() && target == Some(other.pipeline_execution_id.as_str())
    }

    fn revisions(&self) -> impl Iterator<Item = &str> {
        self.source_revisions.iter().filter_map(|source| source.revision_id.as_deref())
    }
}

pub(super) async fn roll_back(place: &Place<'_>, id: &str, back: &Back, act: bool) -> Result<Rolled, NoAnswer> {
    let (pipeline, stage) = names(id)?;
    let in_stage = json!({ "succeededInStage": { "stageName": stage } });
    let succeeded = listed(place, &json!({ "pipelineName": pipeline, "maxResults": MOST, "filter": in_stage })).await?;
    // The newest first.
    let Some(at) = succeeded.iter().position(|execution| !execution.is_rollback() && execution.is(back)) else {
        return Ok(Rolled::Not("its history does not have the release".to_owned()));
    };
    let earlier = succeeded[at + 1..].iter();
    let Some(before) = earlier.clone().find(|execution| !execution.is_rollback() && !execution.is(back)) else {
        return Ok(Rolled::Not("its history has nothing before the release".to_owned()));
    };
    let to = before.revisions().next().unwrap_or(&before.pipeline_execution_id).to_owned();
    // One that goes back as we asked has not succeeded yet.
    let newest = listed(place, &json!({ "pipelineName": pipeline, "maxResults": MOST })).await?;
    let since =
        newest.iter().take_while(|execution| execution.pipeline_execution_id != succeeded[at].pipeline_execution_id);
    if since.clone().any(|execution| execution.goes_back_to(before)) {
        return Ok(Rolled::Back(to));
    }
    if at > 0 {
        return Ok(Rolled::Not("something else succeeded after the release".to_owned()));
    }
    if !act {
        return Ok(Rolled::Not("it did not go back".to_owned()));
    }
    let target = &before.pipeline_execution_id;
    let asked = json!({ "pipelineName": pipeline, "stageName": stage, "targetPipelineExecutionId": target });
    ask(place, "RollbackStage", &asked).await?;
    Ok(Rolled::Back(to))
}

async fn listed(place: &Place<'_>, asked: &serde_json::Value) -> Result<Vec<Execution>, NoAnswer> {
    let listed: Listed = read(&ask(place, "ListPipelineExecutions", asked).await?.body)?;
    Ok(listed.pipeline_execution_summaries)
}
