"""The shop over HTTP."""

from flask import Flask, jsonify, render_template

from shop.models import Agent, Order

app = Flask(__name__)


@app.get("/")
def home() -> str:
    return render_template("home.html", prompt="What would you like to cook?")


@app.get("/orders/<int:number>")
def order(number: int):
    found = Order(id=number, status="packed")
    courier = Agent(id=1, partner="Radkurier Nord")
    return jsonify(id=found.id, status=found.status, courier=courier.partner)
