package shop.support

import com.aallam.openai.api.chat.ChatCompletion
import com.aallam.openai.api.chat.ChatCompletionRequest
import com.aallam.openai.api.chat.ChatMessage
import com.aallam.openai.api.chat.ChatRole
import com.aallam.openai.api.model.ModelId
import com.aallam.openai.client.OpenAI
import com.anthropic.client.AnthropicClient
import com.anthropic.models.messages.Message
import com.anthropic.models.messages.MessageCreateParams
import shop.config.SHARED_MODEL
import shop.config.Settings

private const val MODEL = "gpt-4o"
private const val FAMILY = "sonnet"
private val MODELS = mapOf("cheap" to "gpt-3.5-turbo")

class Ask(
    private val openAI: OpenAI,
    private val claude: AnthropicClient,
    private val settings: Settings = Settings(),
) {
    suspend fun constant(question: String) = answer(ModelId(MODEL), question)

    suspend fun concatenation(question: String) = answer(ModelId(MODEL + "-mini"), question)

    fun template(question: String): Message = claude.messages().create(
        MessageCreateParams.builder()
            .model("claude-$FAMILY-4-5")
            .maxTokens(100)
            .addUserMessage(question)
            .build()
    )

    suspend fun enumerated(question: String) = answer(ModelId(Model.ROUTER.id), question)

    suspend fun configured(question: String) = answer(ModelId(settings.summaryModel), question)

    suspend fun fromEnvironment(question: String): ChatCompletion {
        val model = System.getenv("TRIAGE_MODEL") ?: "gpt-4.1-nano"
        return answer(ModelId(model), question)
    }

    suspend fun fromFile(question: String) =
        answer(ModelId(System.getenv("SUPPORT_MODEL") ?: error("SUPPORT_MODEL is not set")), question)

    suspend fun fromCompose(question: String) =
        answer(ModelId(requireNotNull(System.getenv("REASONING_MODEL"))), question)

    suspend fun imported(question: String) = answer(ModelId(SHARED_MODEL), question)

    suspend fun defaulted(question: String, model: String = "gpt-5-nano") = answer(ModelId(model), question)

    private suspend fun passed(question: String, model: String) = answer(ModelId(model), question)

    suspend fun caller() = passed("hello", model = "gpt-4-turbo")

    suspend fun chosen(question: String) = answer(ModelId(MODELS.getValue("cheap")), question)

    // suspend fun old(question: String) = answer(ModelId("gpt-4-32k"), question)

    private suspend fun answer(model: ModelId, question: String): ChatCompletion = openAI.chatCompletion(
        ChatCompletionRequest(
            model = model,
            messages = listOf(ChatMessage(role = ChatRole.User, content = question)),
        )
    )
}
