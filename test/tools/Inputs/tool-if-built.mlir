// RUN: %if gsa-run %{ gsa-run %s %}
