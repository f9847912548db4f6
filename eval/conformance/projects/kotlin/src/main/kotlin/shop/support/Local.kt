package shop.support

import com.aallam.openai.api.chat.ChatCompletionRequest
import com.aallam.openai.api.chat.ChatMessage
import com.aallam.openai.api.chat.ChatRole
import com.aallam.openai.api.model.ModelId
import com.aallam.openai.client.OpenAI
import com.aallam.openai.client.OpenAIHost

suspend fun local() {
    val openAI = OpenAI(token = "unused", host = OpenAIHost(baseUrl = "http://llm.internal:8000/v1/"))
    openAI.chatCompletion(
        ChatCompletionRequest(
            model = ModelId("llama-3.3-70b-instruct"),
            messages = listOf(ChatMessage(ChatRole.User, "hi")),
        )
    )
}
