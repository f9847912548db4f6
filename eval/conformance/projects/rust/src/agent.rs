use rig::agent::Agent;
use rig::client::{CompletionClient, ProviderClient};
use rig::completion::ToolDefinition;
use rig::providers::openai;
use rig::tool::Tool;
use serde::Deserialize;
use serde_json::json;

use crate::prompts::SUPPORT_PROMPT;

#[derive(Deserialize)]
pub struct Order {
    id: String,
}

#[derive(Debug, thiserror::Error)]
#[error("no such order")]
pub struct NoOrder;

pub struct LookupOrder;

impl Tool for LookupOrder {
    const NAME: &'static str = "lookup_order";
    type Error = NoOrder;
    type Args = Order;
    type Output = String;

    async fn definition(&self, _prompt: String) -> ToolDefinition {
        ToolDefinition {
            name: Self::NAME.to_string(),
            description: "Look up an order.".to_string(),
            parameters: json!({"type": "object", "properties": {"id": {"type": "string"}}}),
        }
    }

    async fn call(&self, order: Order) -> Result<String, NoOrder> {
        let url = format!("https://orders.internal/v1/{}", order.id);
        reqwest::get(url).await.map_err(|_| NoOrder)?.text().await.map_err(|_| NoOrder)
    }
}

pub struct RefundOrder;

impl Tool for RefundOrder {
    const NAME: &'static str = "refund_order";
    type Error = NoOrder;
    type Args = Order;
    type Output = String;

    async fn definition(&self, _prompt: String) -> ToolDefinition {
        ToolDefinition {
            name: Self::NAME.to_string(),
            description: "Refund an order.".to_string(),
            parameters: json!({"type": "object", "properties": {"id": {"type": "string"}}}),
        }
    }

    async fn call(&self, order: Order) -> Result<String, NoOrder> {
        std::fs::write("refunds.txt", &order.id).map_err(|_| NoOrder)?;
        Ok(order.id)
    }
}

pub fn support() -> Agent<openai::responses_api::ResponsesCompletionModel> {
    openai::Client::from_env()
        .agent("gpt-4o")
        .preamble(SUPPORT_PROMPT)
        .tool(LookupOrder)
        .tool(RefundOrder)
        .build()
}
