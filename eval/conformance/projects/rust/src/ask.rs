use std::collections::HashMap;
use std::env;

use anyhow::Result;
use async_openai::types::responses::{CreateResponseArgs, Response};
use async_openai::Client;
use rig::agent::Agent;
use rig::client::CompletionClient;
use rig::providers::anthropic;

use crate::config::{Model, Settings, SHARED_MODEL};

const MODEL: &str = "gpt-4o";
const FAMILY: &str = "sonnet";

pub async fn constant(question: &str) -> Result<Response> {
    let client = Client::new();
    let request = CreateResponseArgs::default().model(MODEL).input(question).build()?;
    Ok(client.responses().create(request).await?)
}

pub async fn concatenation(question: &str) -> Result<Response> {
    let client = Client::new();
    let model = MODEL.to_owned() + "-mini";
    let request = CreateResponseArgs::default().model(model).input(question).build()?;
    Ok(client.responses().create(request).await?)
}

pub fn template() -> Agent<anthropic::completion::CompletionModel> {
    let claude = anthropic::Client::from_env();
    claude.agent(&format!("claude-{FAMILY}-4-5")).build()
}

pub async fn enumerated(question: &str) -> Result<Response> {
    let client = Client::new();
    let request = CreateResponseArgs::default().model(Model::Router.id()).input(question).build()?;
    Ok(client.responses().create(request).await?)
}

pub async fn configured(question: &str) -> Result<Response> {
    let client = Client::new();
    let settings = Settings::default();
    let request = CreateResponseArgs::default().model(&settings.summary_model).input(question).build()?;
    Ok(client.responses().create(request).await?)
}

pub async fn from_environment(question: &str) -> Result<Response> {
    let client = Client::new();
    let model = env::var("TRIAGE_MODEL").unwrap_or_else(|_| "gpt-4.1-nano".to_string());
    let request = CreateResponseArgs::default().model(model).input(question).build()?;
    Ok(client.responses().create(request).await?)
}

pub async fn from_file(question: &str) -> Result<Response> {
    let client = Client::new();
    let request = CreateResponseArgs::default().model(env::var("SUPPORT_MODEL")?).input(question).build()?;
    Ok(client.responses().create(request).await?)
}

pub async fn from_compose(question: &str) -> Result<Response> {
    let client = Client::new();
    let request = CreateResponseArgs::default().model(env::var("REASONING_MODEL")?).input(question).build()?;
    Ok(client.responses().create(request).await?)
}

pub async fn imported(question: &str) -> Result<Response> {
    let client = Client::new();
    let request = CreateResponseArgs::default().model(SHARED_MODEL).input(question).build()?;
    Ok(client.responses().create(request).await?)
}

pub struct Classifier {
    client: Client<async_openai::config::OpenAIConfig>,
    model: String,
}

impl Classifier {
    pub fn new() -> Self {
        Self {
            client: Client::new(),
            model: "gpt-5-mini".into(),
        }
    }

    pub async fn classify(&self, text: &str) -> Result<Response> {
        let request = CreateResponseArgs::default().model(&self.model).input(text).build()?;
        Ok(self.client.responses().create(request).await?)
    }
}

pub async fn defaulted(question: &str, model: Option<&str>) -> Result<Response> {
    let client = Client::new();
    let model = model.unwrap_or("gpt-5-nano");
    let request = CreateResponseArgs::default().model(model).input(question).build()?;
    Ok(client.responses().create(request).await?)
}

async fn passed(question: &str, model: &str) -> Result<Response> {
    let client = Client::new();
    let request = CreateResponseArgs::default().model(model).input(question).build()?;
    Ok(client.responses().create(request).await?)
}

pub async fn caller() -> Result<Response> {
    passed("hello", "gpt-4-turbo").await
}

pub async fn chosen(question: &str) -> Result<Response> {
    let models = HashMap::from([("cheap", "gpt-3.5-turbo")]);
    let client = Client::new();
    let request = CreateResponseArgs::default().model(models["cheap"]).input(question).build()?;
    Ok(client.responses().create(request).await?)
}

// client.responses().create(CreateResponseArgs::default().model("gpt-4-32k").build()?).await?;
