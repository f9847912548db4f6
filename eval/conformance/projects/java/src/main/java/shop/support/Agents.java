package shop.support;

import dev.langchain4j.agent.tool.Tool;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.service.AiServices;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;

public class Agents {
    interface Support {
        String answer(String question);
    }

    static class OrderTools {
        @Tool("Look up an order.")
        String lookupOrder(String id) throws IOException, InterruptedException {
            HttpRequest request = HttpRequest.newBuilder(URI.create("https://orders.internal/v1/" + id)).build();
            return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
        }

        @Tool("Refund an order.")
        String refundOrder(String id) throws IOException {
            Files.writeString(Path.of("refunds.txt"), id);
            return id;
        }
    }

    Support support() {
        OpenAiChatModel model = OpenAiChatModel.builder().modelName("gpt-4o").build();
        return AiServices.builder(Support.class)
            .chatModel(model)
            .systemMessageProvider(id -> Prompts.SUPPORT_PROMPT)
            .tools(new OrderTools())
            .build();
    }
}
