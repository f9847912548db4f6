plugins {
    kotlin("jvm") version "2.2.0"
}

dependencies {
    implementation("com.aallam.openai:openai-client:4.0.1")
    implementation("com.anthropic:anthropic-java:2.0.0")
    implementation("ai.koog:koog-agents:0.5.2")
    implementation("dev.langchain4j:langchain4j-chroma:1.0.0")
    implementation("io.modelcontextprotocol:kotlin-sdk:0.8.0")
}
