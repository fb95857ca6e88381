"""A model as the console knows it."""

from frontend.model_cards import ModelCard

CARD = ModelCard(
    name="android-malware",
    version="1",
    features=("SEND_SMS",),
    features_sha256="0" * 64,
    positive="malware",
    negative="goodware",
    threshold=0.09,
    price="1",
    explanation_price="0",
    is_default=True,
)
