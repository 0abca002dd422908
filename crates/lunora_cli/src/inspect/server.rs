//! Whom the commands ask: the inspector in development, else the admin routes.

use std::path::PathBuf;

use lunora_client::AdminClient;
use serde_json::Value as Json;

use super::arguments::ServerArguments;
use crate::arguments::ProjectArguments;
use crate::inspector_api::InspectorApi;
use crate::run::CommandOptions;
use crate::transfer::failure::Failure;
use crate::transfer::project_root;
use crate::transfer::target::{Target, explained};

/// Whoever answers.
pub(super) enum Server {
    /// The development server of this project.
    Development(InspectorApi),
    /// An app with admin routes.
    Deployed(AdminClient),
}

impl Server {
    /// The app at `--url`, else the development server.
    pub(super) async fn find(
        options: &CommandOptions,
        project: &ProjectArguments,
        server: &ServerArguments,
    ) -> Result<Self, Failure> {
        if server.url.is_none() {
            return Ok(Self::Development(InspectorApi::reach(options, project).await?));
        }
        let root = project_root(options, project.root.as_ref(), project.lunora_dir.as_deref());
        let target = Target::find(options, &server.target(), root.as_deref())?;
        let roots = std::env::var_os("NODE_EXTRA_CA_CERTS").map(PathBuf::from);
        let client = AdminClient::new(target.address, &target.token, roots.as_deref())?;
        Ok(Self::Deployed(client))
    }

    /// Asks what only reads.
    pub(super) async fn inspect(&mut self, operation: &str, body: &Json) -> Result<Json, Failure> {
        let name = format!("inspect/{operation}");
        value(match self {
            Self::Development(api) => api.post(&name, body).await,
            Self::Deployed(client) => client.post(&name, body).await.map_err(|error| explained(error.into())),
        }?)
    }

    /// Asks what may write, and is asked once.
    pub(super) async fn inspect_once(&mut self, operation: &str, body: &Json) -> Result<Json, Failure> {
        let name = format!("inspect/{operation}");
        value(match self {
            Self::Development(api) => api.post_once(&name, body).await,
            Self::Deployed(client) => {
                let answer = client.post_once(&name, body).await;
                answer.map_err(|error| explained(error.into()))
            }
        }?)
    }
}

fn value(mut answer: Json) -> Result<Json, Failure> {
    match answer.get_mut("value") {
        Some(value) => Ok(value.take()),
        None => Err(Failure::answer("it has no `value`")),
    }
}
