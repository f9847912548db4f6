package shop.support

import ai.koog.agents.core.agent.AIAgent
import ai.koog.agents.core.tools.ToolRegistry
import ai.koog.agents.core.tools.annotations.LLMDescription
import ai.koog.agents.core.tools.annotations.Tool
import ai.koog.agents.core.tools.reflect.ToolSet
import ai.koog.agents.core.tools.reflect.tools
import ai.koog.prompt.executor.clients.openai.OpenAIModels
import ai.koog.prompt.executor.llms.all.simpleOpenAIExecutor
import java.io.File
import java.net.URI

@LLMDescription("Orders of the shop.")
class OrderTools : ToolSet {
    @Tool
    @LLMDescription("Look up an order.")
    fun lookupOrder(id: String): String = URI("https://orders.internal/v1/$id").toURL().readText()

    @Tool
    @LLMDescription("Refund an order.")
    fun refundOrder(id: String): String {
        File("refunds.txt").appendText(id)
        return id
    }
}

fun support(apiKey: String) = AIAgent(
    promptExecutor = simpleOpenAIExecutor(apiKey),
    llmModel = OpenAIModels.Chat.GPT4o,
    systemPrompt = SUPPORT_PROMPT,
    toolRegistry = ToolRegistry { tools(OrderTools()) },
)
