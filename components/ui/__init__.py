"""The screen: everything here speaks Streamlit, and computes nothing."""
