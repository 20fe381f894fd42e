"""Figures: results in, Plotly figures out. Knows no Streamlit."""
