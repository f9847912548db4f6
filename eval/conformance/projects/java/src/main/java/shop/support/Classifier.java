package shop.support;

import com.openai.client.OpenAIClient;
import com.openai.models.responses.ResponseCreateParams;

class Classifier {
    private final OpenAIClient client;
    private final String model;

    Classifier(OpenAIClient client) {
        this.client = client;
        this.model = "gpt-5-mini";
    }

    void classify(String text) {
        client.responses().create(ResponseCreateParams.builder().model(model).input(text).build());
    }
}
