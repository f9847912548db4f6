package shop.support;

import dev.langchain4j.agent.tool.Tool;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.service.AiServices;

public class Agents {
    interface Support {
        String answer(String question);
    }

    static class OrderTools {
        @Tool("Look up an order.")
        String lookupOrder(String id) {
            return id;
        }

        @Tool("Refund an order.")
        String refundOrder(String id) {
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
