package shop.support;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.models.chat.completions.ChatCompletionCreateParams;

public class Local {
    void answer() {
        OpenAIClient local = OpenAIOkHttpClient.builder().baseUrl("http://llm.internal:8000/v1").apiKey("unused").build();
        local.chat().completions().create(
            ChatCompletionCreateParams.builder().model("llama-3.3-70b-instruct").addUserMessage("hi").build());
    }
}
