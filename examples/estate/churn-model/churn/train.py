"""Who will leave next month?"""

import joblib
import pandas as pd
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import train_test_split

features = pd.read_csv("data/churn_features.csv")
features["age"] = 2026 - features["birth_date"].str[:4].astype(int)

train, test = train_test_split(features, test_size=0.2, random_state=7)
columns = ["age", "boxes", "complaints"]

model = GradientBoostingClassifier()
model.fit(train[columns], train["left"])
print("accuracy", model.score(test[columns], test["left"]))

joblib.dump(model, "models/churn.joblib")
