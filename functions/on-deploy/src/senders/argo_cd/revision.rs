//! Which commit is live? An application's revision is a commit of the repository that its manifests are in, which is
//! often not the service's own. In this order the revision is
//!
//! 1. what the annotation `recent-deployers/commit` says;
//! 2. the image that the annotation `recent-deployers/image` names, with or without a tag;
//! 3. the image whose tag spells a commit, where that is not the application's revision: then the application's
//!    repository only configures which image runs, and its commit would say nothing about the service's;
//! 4. the application's commit, with its repository (one that no service deploys says nothing about theirs);
//! 5. an image, else the version of a chart, for somebody else to tell which commit that stands for.

use aws::given;
use domain::{Commit, Reference, Repository, Revision};
use serde_json::Value;

use super::super::{repository_in, repository_told};
use super::{MOST, texts, told};

pub(super) const REVISION: &[&str] = &[
    "/status/operationState/syncResult/revision",
    "/status/operationState/operation/sync/revision",
    "/status/sync/revision",
    "/sync/revision",
    "/revision",
    "/commit",
    "/commitSha",
    "/commit_sha",
    "/sha",
];

/// What is moved, as said above; with the repository, if it is that one's commit.
pub(super) fn revision(app: &Value, name: &str) -> (Revision, Option<Repository>) {
    if let Some(commit) = told(app, &["/metadata/annotations/recent-deployers~1commit"]).and_then(|c| c.parse().ok()) {
        let of = told(app, &["/metadata/annotations/recent-deployers~1repository"]);
        return (Revision::Commit(commit), of.as_deref().and_then(repository_told));
    }
    let images = images(app);
    if let Some(wanted) = told(app, &["/metadata/annotations/recent-deployers~1image"]) {
        let running = images.iter().find(|image| **image == wanted || without_tag(image) == without_tag(&wanted));
        if let Ok(image) = Reference::image(running.copied().unwrap_or(&wanted)) {
            return (Revision::Named(image), None);
        }
    }
    let git = git(app);
    let image = image_of(&images, name);
    let spelled = image.as_ref().and_then(Reference::spelled_commit);
    match (git, image, spelled) {
        (Some((git, _)), Some(image), Some(spelled)) if !git.same(&spelled) => (Revision::Named(image), None),
        (Some((git, repository)), ..) => (Revision::Commit(git), repository),
        (None, Some(image), _) => (Revision::Named(image), None),
        (None, None, _) => (chart(app).map_or(Revision::Untold, Revision::Named), None),
    }
}

fn images(app: &Value) -> Vec<&str> {
    let images = texts(app, "/status/summary/images");
    if images.is_empty() { texts(app, "/images") } else { images }
}

/// `ghcr.io/openedx/edxapp` of `ghcr.io/openedx/edxapp:2.1@sha256:8c1c`.
fn without_tag(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    match name.rfind(':') {
        Some(at) if !name[at..].contains('/') => &name[..at],
        Some(_) | None => name,
    }
}

/// The image that is most likely the application itself, not what runs beside it: the one called as it is, else one
/// whose tag spells a commit, else the only one.
pub(in super::super) fn image_of(images: &[&str], name: &str) -> Option<Reference> {
    let short = |image: &str| without_tag(image).rsplit('/').next().unwrap_or_default().to_lowercase();
    let name = name.to_lowercase();
    let called = images.iter().find(|image| {
        let short = short(image);
        short == name || name.split(['-', '_', '.']).any(|part| part == short)
    });
    let references = || images.iter().filter_map(|image| Reference::image(image).ok());
    let only = || references().next().filter(|_| images.len() == 1);
    let called = called.and_then(|image| Reference::image(image).ok());
    called.or_else(|| references().find(|image| image.spelled_commit().is_some())).or_else(only)
}

/// The commit of the application's source, or of the first of its sources that is in git.
fn git(app: &Value) -> Option<(Commit, Option<Repository>)> {
    let sources = given::list(app, "/spec/sources");
    let lists = ["/status/operationState/syncResult/revisions", "/status/sync/revisions", "/revisions"];
    let revisions =
        lists.iter().map(|place| texts(app, place)).find(|revisions| !revisions.is_empty()).unwrap_or_default();
    let several = sources.zip(revisions).take(MOST).filter(|(source, _)| told(source, &["/chart"]).is_none());
    let several = several.filter_map(|(source, revision)| {
        Some((revision.parse().ok()?, told(source, &["/repoURL"]).and_then(|url| repository_in(&url))))
    });
    several.into_iter().next().or_else(|| {
        let url =
            told(app, &["/spec/source/repoURL", "/source/repoURL", "/repoURL", "/repo_url", "/repository", "/repo"]);
        let commit = told(app, REVISION)?.parse().ok()?;
        Some((commit, url.as_deref().and_then(repository_told)))
    })
}

fn chart(app: &Value) -> Option<Reference> {
    let chart = told(app, &["/spec/source/chart", "/chart"])?;
    format!("chart:{chart}:{}", told(app, REVISION)?).parse().ok()
}
