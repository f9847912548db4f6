use anyhow::Result;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{Implementation, ServerCapabilities, ServerInfo};
use rmcp::transport::stdio;
use rmcp::{schemars, tool, tool_handler, tool_router, ServerHandler, ServiceExt};

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: String,
}

#[derive(Clone)]
pub struct Orders {
    tool_router: ToolRouter<Self>,
}

#[tool_router]
impl Orders {
    pub fn new() -> Self {
        Self {
            tool_router: Self::tool_router(),
        }
    }

    #[tool(description = "Status of an order.")]
    async fn order_status(&self, Parameters(order): Parameters<Order>) -> String {
        order.id
    }
}

#[tool_handler]
impl ServerHandler for Orders {
    fn get_info(&self) -> ServerInfo {
        ServerInfo {
            capabilities: ServerCapabilities::builder().enable_tools().build(),
            server_info: Implementation {
                name: "orders".into(),
                version: "1.0.0".into(),
                ..Default::default()
            },
            ..Default::default()
        }
    }
}

pub async fn serve() -> Result<()> {
    Orders::new().serve(stdio()).await?.waiting().await?;
    Ok(())
}
