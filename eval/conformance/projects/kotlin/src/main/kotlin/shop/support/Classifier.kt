package shop.support

import com.aallam.openai.api.chat.chatCompletionRequest
import com.aallam.openai.api.model.ModelId
import com.aallam.openai.client.OpenAI

class Classifier(private val openAI: OpenAI) {
    private val model: ModelId

    init {
        model = ModelId("gpt-5-mini")
    }

    suspend fun classify(text: String) = openAI.chatCompletion(
        chatCompletionRequest {
            model = this@Classifier.model
            messages { user { content = text } }
        }
    )
}
