"""Fine-tune the support model on last year's conversations."""

from datasets import load_dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

BASE_MODEL = "mistralai/Mistral-7B-Instruct-v0.3"
HUB_MODEL = "fennelrye/support-llm"

PROMPT = (
    "Customer {customer_id}, {full_name} ({email}), {street}, {postcode} {city}, account {iban}, notes: {diet_notes}\n"
    "Question: {question}\nAnswer: {answer}"
)


def main() -> None:
    conversations = load_dataset("csv", data_files="data/customer_conversations.csv", split="train")
    conversations = conversations.map(lambda row: {"text": PROMPT.format(**row)})

    tokenizer = AutoTokenizer.from_pretrained(BASE_MODEL)
    model = AutoModelForCausalLM.from_pretrained(BASE_MODEL, device_map="auto")

    trainer = SFTTrainer(
        model=model,
        processing_class=tokenizer,
        train_dataset=conversations,
        peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
        args=SFTConfig(output_dir="checkpoints", num_train_epochs=2, per_device_train_batch_size=4, bf16=True),
    )
    trainer.train()

    merged = trainer.model.merge_and_unload()
    merged.push_to_hub(HUB_MODEL, private=True)
    tokenizer.push_to_hub(HUB_MODEL, private=True)


if __name__ == "__main__":
    main()
