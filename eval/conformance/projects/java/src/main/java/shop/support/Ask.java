package shop.support;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.models.messages.MessageCreateParams;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import java.util.Map;
import java.util.Optional;

public class Ask {
    static final String MODEL = "gpt-4o";
    static final String FAMILY = "sonnet";
    static final Map<String, String> MODELS = Map.of("cheap", "gpt-3.5-turbo");

    private final OpenAIClient client = OpenAIOkHttpClient.fromEnv();
    private final AnthropicClient claude = AnthropicOkHttpClient.fromEnv();
    private final Settings settings = new Settings();

    Response constant(String question) {
        return client.responses().create(ResponseCreateParams.builder().model(MODEL).input(question).build());
    }

    Response concatenation(String question) {
        return client.responses().create(ResponseCreateParams.builder().model(MODEL + "-mini").input(question).build());
    }

    void template(String question) {
        claude.messages().create(MessageCreateParams.builder()
            .model(String.format("claude-%s-4-5", FAMILY)).maxTokens(100).addUserMessage(question).build());
    }

    Response enumerated(String question) {
        return client.responses().create(ResponseCreateParams.builder().model(Model.ROUTER.id).input(question).build());
    }

    Response configured(String question) {
        return client.responses().create(
            ResponseCreateParams.builder().model(settings.summaryModel).input(question).build());
    }

    Response fromEnvironment(String question) {
        String model = Optional.ofNullable(System.getenv("TRIAGE_MODEL")).orElse("gpt-4.1-nano");
        return client.responses().create(ResponseCreateParams.builder().model(model).input(question).build());
    }

    Response fromFile(String question) {
        return client.responses().create(
            ResponseCreateParams.builder().model(System.getenv("SUPPORT_MODEL")).input(question).build());
    }

    Response fromCompose(String question) {
        return client.responses().create(
            ResponseCreateParams.builder().model(System.getenv("REASONING_MODEL")).input(question).build());
    }

    Response imported(String question) {
        return client.responses().create(
            ResponseCreateParams.builder().model(Config.SHARED_MODEL).input(question).build());
    }

    Response defaulted(String question) {
        return defaulted(question, "gpt-5-nano");
    }

    Response defaulted(String question, String model) {
        return client.responses().create(ResponseCreateParams.builder().model(model).input(question).build());
    }

    private Response passed(String question, String model) {
        return client.responses().create(ResponseCreateParams.builder().model(model).input(question).build());
    }

    Response caller() {
        return passed("hello", "gpt-4-turbo");
    }

    Response chosen(String question) {
        return client.responses().create(
            ResponseCreateParams.builder().model(MODELS.get("cheap")).input(question).build());
    }

    // client.responses().create(ResponseCreateParams.builder().model("gpt-4-32k").input("old").build());
}
